package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const zoneRemedy = `Write the IANA name of the place's zone, such as time_zone = "Europe/Berlin".`

// broken are edits of the design's sample (old, new, ...) with what Load says about the result. DIR
// stands for the file's directory, "kiosk.toml" for its path.
var broken = map[string]struct{ edit, want []string }{
	// Values at the top.
	"listen without port":  {[]string{`":8080"`, `"localhost"`}, []string{`kiosk.toml:1: listen "localhost" is not an address. Write it as ":8080" for all networks, or "127.0.0.1:8080" for one.`}},
	"listen with bad port": {[]string{`":8080"`, `":80800"`}, []string{`kiosk.toml:1: listen ":80800" is not an address. Write it as ":8080" for all networks, or "127.0.0.1:8080" for one.`}},
	"listen as a number":   {[]string{`":8080"`, `8080`}, []string{`kiosk.toml:1: listen must be a text, not a number. Write it in double quotes.`}},
	"data_dir empty":       {[]string{`"/var/lib/kiosk"`, `""`}, []string{`kiosk.toml:2: data_dir is empty. Write a value, or remove the key: the default is "/var/lib/kiosk".`}},
	"zone unknown":         {[]string{`"Europe/Berlin"`, `"Europe/Berlinn"`}, []string{`kiosk.toml:3: time_zone "Europe/Berlinn" is not known. Write an IANA name in its exact spelling, such as "Europe/Berlin" or "America/New_York".`}},
	"zone local":           {[]string{`"Europe/Berlin"`, `"Local"`}, []string{`kiosk.toml:3: time_zone "Local" is not known. Write an IANA name in its exact spelling, such as "Europe/Berlin" or "America/New_York".`}},
	"zone empty":           {[]string{`"Europe/Berlin"`, `""`}, []string{`kiosk.toml:3: time_zone is missing. ` + zoneRemedy}},
	"zone missing":         {[]string{`time_zone = "Europe/Berlin"`, ``}, []string{`kiosk.toml: time_zone is missing. ` + zoneRemedy}},
	"zone with control":    {[]string{`"Europe/Berlin"`, `"Europe/\u0007"`}, []string{`kiosk.toml:3: time_zone holds a control character. Remove it.`}},
	"language":             {[]string{`"en"`, `"English"`}, []string{`kiosk.toml:4: language "English" is not a language tag. Write it as "en" or "pt-BR".`}},
	"clock":                {[]string{`"auto"                     #`, `"ntp" #`}, []string{`kiosk.toml:5: clock "ntp" is not known. Write one of: auto, trusted.`}},
	"hosts not a list":     {[]string{`= []`, `= "a"`}, []string{`kiosk.toml:6: hosts must be a list of texts, not a text. Write it as ["one", "two"].`}},
	"hosts with a port": {[]string{"= []                         # further Host names", "= [\n'a',\n7, # x\n'b:80',\n'*']"}, []string{
		`kiosk.toml:8: hosts holds something that is not a text. Write it as ["one", "two"].`,
		`kiosk.toml:9: hosts: "b:80" is not a host name. Write names without scheme and port, such as "rooms.example.com".`,
		`kiosk.toml:10: hosts: "*" is not a host name. Write names without scheme and port, such as "rooms.example.com".`,
	}},

	// Unknown keys.
	"unknown, near":       {[]string{`listen    =`, `listn =`}, []string{`kiosk.toml:1: unknown key "listn". Did you mean "listen"?`}},
	"unknown, swapped":    {[]string{`listen    =`, `litsen =`}, []string{`kiosk.toml:1: unknown key "litsen". Did you mean "listen"?`}},
	"unknown, other case": {[]string{`listen    =`, `Listen =`}, []string{`kiosk.toml:1: unknown key "Listen". Did you mean "listen"?`}},
	"unknown, hyphen":     {[]string{`zoom_room_id =`, `zoom-room-id =`}, []string{`kiosk.toml:53: room "ada": unknown key "zoom-room-id". Did you mean "zoom_room_id"?`}},
	"unknown, far": {[]string{`required     =`, `colour =`}, []string{
		`kiosk.toml:60: room "ada": check_in: unknown key "colour". Remove it. Known here: required, opens_before, closes_after.`,
	}},
	"unknown table": {[]string{`[zoom]`, `[zooom]`}, []string{
		`kiosk.toml:8: unknown key "zooom". Did you mean "zoom"?`,
		`kiosk.toml:53: room "ada": zoom_room_id is given, but there is no [zoom] table. Add [zoom], or remove zoom_room_id.`,
	}},
	"unknown, of the top":      {[]string{`events_url         = ""`, `hosts = []`}, []string{`kiosk.toml:16: zoom: unknown key "hosts". Move it to the top of the file, above the first table.`}},
	"unknown, of a calendar":   {[]string{`events_url         = ""`, `poll = "1m"`}, []string{`kiosk.toml:16: zoom: unknown key "poll". It belongs in [[calendar]].`}},
	"unknown, of [zoom]":       {[]string{`delegate = ""`, `account_id = ""`}, []string{`kiosk.toml:22: calendar "google": unknown key "account_id". It belongs in [zoom].`}},
	"unknown, of the check-in": {[]string{`capacity     = 8`, `opens_before = "1m"`}, []string{`kiosk.toml:56: room "ada": unknown key "opens_before". It belongs in [room.check_in].`}},
	"unknown, quoted":          {[]string{`listen    =`, `"lis ten # [x]" =`}, []string{`kiosk.toml:1: unknown key "lis ten # [x]". Remove it. Known here: listen, data_dir, time_zone, language, clock, hosts, zoom, calendar, room.`}},
	"unknown, dotted":          {[]string{"[zoom]\n", "[zoom]\nlog.level = 1\n"}, []string{`kiosk.toml:9: zoom: unknown key "log". Remove it. Known here: account_id, client_id, client_secret, client_secret_file, api_url, token_url, body, exchange_ids, events_url, webhook_secret, webhook_secret_file.`}},
	"unknown, after long text": {[]string{`"Ada Lovelace"`, "\"\"\"\\\n  Ada\\\n  Lovelace\"\"\"\nseats = 8"}, []string{`kiosk.toml:55: room "ada": unknown key "seats". Remove it. Known here: id, name, zoom_room_id, calendar, calendar_id, capacity, equipment, location, time_zone, language, check_in.`}},
	"unknown, inline":          {[]string{"[room.check_in]\nrequired     = true\nopens_before = \"10m\"\ncloses_after = \"10m\"", "check_in = {required = true,\nopen_before = \"10m\"}"}, []string{`kiosk.toml:60: room "ada": check_in: unknown key "open_before". Did you mean "opens_before"?`}},

	// [zoom].
	"zoom incomplete": {[]string{`account_id         = "acc"`, ``, `client_id          = "cli"`, ``, `client_secret_file = "zoom-client-secret"`, ``}, []string{
		`kiosk.toml:8: zoom: client_secret_file is missing. Name a file that holds nothing but the secret.`,
		`kiosk.toml:8: zoom: account_id is missing. Copy it from the server-to-server OAuth app in Zoom's App Marketplace.`,
		`kiosk.toml:8: zoom: client_id is missing. Copy it from the server-to-server OAuth app in Zoom's App Marketplace.`,
	}},
	"zoom twice as a list":   {[]string{`[zoom]`, `[[zoom]]`}, []string{`kiosk.toml:8: zoom must be a single table, not a list. Head it with [zoom], in single brackets.`}},
	"zoom body":              {[]string{`"json"`, `"xml"`}, []string{`kiosk.toml:14: zoom: body "xml" is not known. Write one of: json, multipart.`}},
	"zoom exchange_ids":      {[]string{`exchange_ids       = "auto"`, `exchange_ids = "EWS"`}, []string{`kiosk.toml:15: zoom: exchange_ids "EWS" is not known. Write one of: auto, ews, graph.`}},
	"zoom plain http":        {[]string{`"https://api.zoom.us/v2"`, `"http://api.zoom.us/v2"`}, []string{`kiosk.toml:12: zoom: api_url is not https. Begin it with "https://"; plain http is accepted on loopback only.`}},
	"zoom no URL":            {[]string{`"https://zoom.us/oauth/token"`, `"zoom.us/oauth/token"`}, []string{`kiosk.toml:13: zoom: token_url is not a URL. Write it in full, beginning with "https://".`}},
	"zoom URL with user":     {[]string{`"https://zoom.us/oauth/token"`, `"https://u:p@zoom.us/"`}, []string{`kiosk.toml:13: zoom: token_url holds a user name or password. Take them out: URLs are shown in logs.`}},
	"zoom events on http":    {[]string{`events_url         = ""`, `events_url = "https://ws.zoom.us/ws"`}, []string{`kiosk.toml:16: zoom: events_url is not wss. Begin it with "wss://"; plain ws is accepted on loopback only.`}},
	"zoom secret twice":      {[]string{"[zoom]\n", "[zoom]\nclient_secret = 'x'\n"}, []string{`kiosk.toml:9: zoom: client_secret and client_secret_file are both given. Remove one of them.`}},
	"zoom secret plain":      {[]string{`client_secret_file = "zoom-client-secret"`, `client_secret = "x"`}, []string{`kiosk.toml:11: zoom: client_secret stands in a file that others than its owner can read. Run chmod 600 on the file, or name a file of its own with client_secret_file.`}},
	"zoom secret empty":      {[]string{`client_secret_file = "zoom-client-secret"`, `client_secret = ""`}, []string{`kiosk.toml:11: zoom: client_secret is empty. Write the secret.`}},
	"webhook secret twice":   {[]string{`events_url         = ""`, "webhook_secret = 'x'\nwebhook_secret_file = 'zoom-client-secret'"}, []string{`kiosk.toml:16: zoom: webhook_secret and webhook_secret_file are both given. Remove one of them.`}},
	"webhook secret plain":   {[]string{`events_url         = ""`, `webhook_secret = "x"`}, []string{`kiosk.toml:16: zoom: webhook_secret stands in a file that others than its owner can read. Run chmod 600 on the file, or name a file of its own with webhook_secret_file.`}},
	"webhook secret empty":   {[]string{`events_url         = ""`, `webhook_secret_file = "empty"`}, []string{`kiosk.toml:16: zoom: webhook_secret_file: DIR/empty is empty. Put the secret into it.`}},
	"webhook secret no file": {[]string{`events_url         = ""`, `webhook_secret_file = "none"`}, []string{`kiosk.toml:16: zoom: webhook_secret_file: there is no such file in DIR ($CREDENTIALS_DIRECTORY is not set). Put the secret into a file of this name.`}},
	"secret file missing":    {[]string{`"zoom-client-secret"`, `"none"`}, []string{`kiosk.toml:11: zoom: client_secret_file: there is no such file in DIR ($CREDENTIALS_DIRECTORY is not set). Put the secret into a file of this name.`}},
	"secret file absolute":   {[]string{`"zoom-client-secret"`, `"/nonexistent/none"`}, []string{`kiosk.toml:11: zoom: client_secret_file: there is no such file at this absolute path. Put the secret into a file of this name.`}},
	"secret file empty":      {[]string{`"zoom-client-secret"`, `"empty"`}, []string{`kiosk.toml:11: zoom: client_secret_file: DIR/empty is empty. Put the secret into it.`}},
	"secret file in lines":   {[]string{`"zoom-client-secret"`, `"lines"`}, []string{`kiosk.toml:11: zoom: client_secret_file has more than one line. Put the secret alone into it.`}},
	"secret file a folder":   {[]string{`"zoom-client-secret"`, `"."`}, []string{`kiosk.toml:11: zoom: client_secret_file: DIR cannot be read: it is a directory. Let the kiosk's user read it.`}},
	"secret file a device":   {[]string{`"zoom-client-secret"`, `"/dev/zero"`}, []string{`kiosk.toml:11: zoom: client_secret_file: /dev/zero cannot be read: it is not a regular file. Let the kiosk's user read it.`}},
	"secret file no name":    {[]string{`"zoom-client-secret"`, `""`}, []string{`kiosk.toml:11: zoom: client_secret_file is missing. Name the file.`}},

	// [[calendar]].
	"no calendar": {[]string{"[[calendar]]\nname = \"google\"", "[[calender]]\nname = \"google\"", "[[calendar]]\nname = \"exchange\"", "[[calender]]", "[[calendar]]\nname = \"onprem\"", "[[calender]]", "[[calendar]]\nname = \"dav\"", "[[calender]]"}, []string{
		`kiosk.toml: no calendar is configured. Add a [[calendar]] table for the service that the rooms' calendars are on.`,
		`kiosk.toml:18: unknown key "calender". Did you mean "calendar"?`,
	}},
	"calendar without name": {[]string{`name = "google"`, ``}, []string{
		`kiosk.toml:18: calendar 1: name is missing. Write a name that rooms refer to, such as name = "google".`,
		`kiosk.toml:54: room "ada": calendar "google" is not configured. Write one of: dav, exchange, onprem.`,
	}},
	"calendar name twice":    {[]string{`name = "exchange"`, `name = "google"`}, []string{`kiosk.toml:27: calendar "google": name is taken by line 19. Give each calendar its own name.`}},
	"calendar without kind":  {[]string{`kind = "google"`, ``}, []string{`kiosk.toml:18: calendar "google": kind is missing. Write one of: google, graph, ews, caldav, ics.`}},
	"calendar kind unknown":  {[]string{`kind = "google"`, `kind = "gogle"`}, []string{`kiosk.toml:20: calendar "google": kind "gogle" is not known. Write one of: google, graph, ews, caldav, ics.`}},
	"calendar of wrong kind": {[]string{`delegate = ""`, `tenant_id = "x"`}, []string{`kiosk.toml:22: calendar "google": tenant_id is not a key of kind google. Remove it. Known here: name, kind, poll, url, credentials_file, delegate.`}},
	"poll too short":         {[]string{`"15s"`, `"999ms"`}, []string{`kiosk.toml:24: calendar "google": poll "999ms" is too short. Write 1s or more.`}},
	"poll negative":          {[]string{`"15s"`, `"-15s"`}, []string{`kiosk.toml:24: calendar "google": poll "-15s" is too short. Write 1s or more.`}},
	"poll too long":          {[]string{`"15s"`, `"2000000h"`}, []string{`kiosk.toml:24: calendar "google": poll "2000000h" is too long. Write 24h or less.`}},
	"poll without unit":      {[]string{`"15s"`, `"15"`}, []string{`kiosk.toml:24: calendar "google": poll "15" is not a duration. Write a number with its unit, such as "90s", "10m" or "1h".`}},
	"poll a number":          {[]string{`"15s"`, `15`}, []string{`kiosk.toml:24: calendar "google": poll must be a duration, not a number. Write a number with its unit, such as "90s", "10m" or "1h".`}},
	"credentials missing":    {[]string{`credentials_file = "google-service-account.json"`, ``}, []string{`kiosk.toml:18: calendar "google": credentials_file is missing. Name the JSON file with the service account's key.`}},
	"credentials not JSON":   {[]string{`"google-service-account.json"`, `"lines"`}, []string{`kiosk.toml:21: calendar "google": credentials_file: the file is not JSON. Download a JSON key of the service account from Google Cloud and use that file.`}},
	"credentials of a user":  {[]string{`"google-service-account.json"`, `"user.json"`}, []string{`kiosk.toml:21: calendar "google": credentials_file: the file is not a service account's key. Download a JSON key of the service account from Google Cloud and use that file.`}},
	"graph incomplete": {[]string{`tenant_id = "ten"`, ``, `client_id = "app"`, ``, `client_secret_file = "graph-client-secret"`, ``}, []string{
		`kiosk.toml:26: calendar "exchange": tenant_id is missing. Copy it from the app registration in Microsoft Entra.`,
		`kiosk.toml:26: calendar "exchange": client_id is missing. Copy it from the app registration in Microsoft Entra.`,
		`kiosk.toml:26: calendar "exchange": client_secret_file is missing. Name a file that holds nothing but the secret.`,
	}},
	"ews incomplete": {[]string{`url = "https://mail.example.com/EWS/Exchange.asmx"`, ``, `user = 'DOMAIN\kiosk'`, ``, `password_file = "ews-password"`, ``}, []string{
		`kiosk.toml:35: calendar "onprem": url is missing. Write url = "https://mail.example.com/EWS/Exchange.asmx" with your server's name.`,
		`kiosk.toml:35: calendar "onprem": user is missing. Write it as user = 'DOMAIN\kiosk'.`,
		`kiosk.toml:35: calendar "onprem": password_file is missing. Name a file that holds nothing but the secret.`,
	}},
	"ews auth":             {[]string{`"ntlm"`, `"kerberos"`}, []string{`kiosk.toml:41: calendar "onprem": auth "kerberos" is not known. Write one of: ntlm, basic.`}},
	"ews impersonate":      {[]string{`impersonate = true`, `impersonate = "true"`}, []string{`kiosk.toml:42: calendar "onprem": impersonate must be true or false, not a text. Write it without quotes.`}},
	"ews user in quotes":   {[]string{`'DOMAIN\kiosk'`, `"DOMAIN\kiosk"`}, []string{`kiosk.toml:39: a backslash in double quotes means something else. Write the text in single quotes, as in 'DOMAIN\user'.`}},
	"dav without user":     {[]string{`user = "kiosk"`, ``}, []string{`kiosk.toml:44: calendar "dav": there is a password, but no user. Add user, or remove the password.`}},
	"dav without password": {[]string{`password_file = "dav-password"`, ``}, []string{`kiosk.toml:44: calendar "dav": password_file is missing. Name a file that holds nothing but the secret.`}},
	"dav with url":         {[]string{`user = "kiosk"`, "user = \"kiosk\"\nurl = \"https://dav.example.com\""}, []string{`kiosk.toml:48: calendar "dav": url is not a key of kind caldav. Remove it. Known here: name, kind, poll, user, password, password_file.`}},
	"single calendar":      {[]string{design[strings.Index(design, "[[calendar]]"):], "[calendar]\nname = 'x'\n[[room]]\nid = 'x'\ncalendar = 'x'\ncalendar_id = 'x'"}, []string{`kiosk.toml:18: calendar is a single table. Head it with [[calendar]], in double brackets.`}},
	"calendar a text":      {[]string{design[strings.Index(design, "[[calendar]]"):], "[[room]]\nid = 'x'\ncalendar = 'x'\ncalendar_id = 'x'", "[zoom]", "calendar = 'x'\nroom = [1]\n[zoom]", "[[room]]", "[[rooms]]"}, []string{`kiosk.toml:8: calendar must be tables, not a text. Head each with [[calendar]].`, `kiosk.toml:9: room must be tables, not a list with a number. Head each with [[room]].`, `kiosk.toml:20: unknown key "rooms". Did you mean "room"?`}},

	// [[room]].
	"no room":             {[]string{design[strings.Index(design, "[[room]]"):], ``}, []string{`kiosk.toml: no room is configured. Add a [[room]] table for each door.`}},
	"no room in a list":   {[]string{design[strings.Index(design, "[[room]]"):], ``, `[zoom]`, "room = []\n[zoom]"}, []string{`kiosk.toml:8: no room is configured. Add a [[room]] table for each door.`}},
	"room without id":     {[]string{`id           = "ada"`, ``}, []string{`kiosk.toml:50: room 1: id is missing. Write one for URLs, such as id = "ada".`}},
	"room id in capitals": {[]string{`id           = "ada"`, `id = "Ada L"`}, []string{`kiosk.toml:51: room "Ada L": id "Ada L" cannot be used in URLs. Write it with a-z, 0-9 and hyphens only.`}},
	"room id a number":    {[]string{`id           = "ada"`, `id = 1`}, []string{`kiosk.toml:51: room 1: id must be a text, not a number. Write it in double quotes.`}},
	"room id twice": {[]string{"[[room]]\n", "[[room]]\nid = \"ada\" # first\ncalendar = \"dav\"\ncalendar_id = \"https://dav.example.com/ada/\"\n\n[[room]]\n"}, []string{
		`kiosk.toml:56: room "ada": id is taken by line 51. Give each room its own id.`,
	}},
	"room name with control":      {[]string{`"Ada Lovelace"`, `"Ada\tLovelace"`}, []string{`kiosk.toml:52: room "ada": name holds a control character. Remove it.`}},
	"room without calendar":       {[]string{`calendar     = "google"`, ``}, []string{`kiosk.toml:50: room "ada": calendar is missing. Name one of the [[calendar]] tables.`}},
	"room on unknown calendar":    {[]string{`calendar     = "google"`, `calendar = "gogle"`}, []string{`kiosk.toml:54: room "ada": calendar "gogle" is not configured. Write one of: dav, exchange, google, onprem.`}},
	"room without calendar_id":    {[]string{`calendar_id  = "c_188@resource.calendar.google.com"`, ``}, []string{`kiosk.toml:50: room "ada": calendar_id is missing. Write the room's calendar id, mailbox or URL there.`}},
	"room without mailbox":        {[]string{`calendar     = "google"`, `calendar = "onprem"`, `"c_188@resource.calendar.google.com"`, `"ada"`}, []string{`kiosk.toml:55: room "ada": calendar_id is not a mailbox. Write the room's e-mail address.`}},
	"room without calendar's URL": {[]string{`calendar     = "google"`, `calendar = "dav"`}, []string{`kiosk.toml:55: room "ada": calendar_id is not a URL. Write it in full, beginning with "https://".`}},
	"room on plain http":          {[]string{`calendar     = "google"`, `calendar = "dav"`, `"c_188@resource.calendar.google.com"`, `"http://10.0.0.1/a.ics"`}, []string{`kiosk.toml:55: room "ada": calendar_id is not https. Begin it with "https://"; plain http is accepted on loopback only.`}},
	"room zone":                   {[]string{`capacity     = 8`, `time_zone = "CEST"`}, []string{`kiosk.toml:56: room "ada": time_zone "CEST" is not known. Write an IANA name in its exact spelling, such as "Europe/Berlin" or "America/New_York".`}},
	"room language":               {[]string{`capacity     = 8`, `language = "EN"`}, []string{`kiosk.toml:56: room "ada": language "EN" is not a language tag. Write it as "en" or "pt-BR".`}},
	"room capacity":               {[]string{`capacity     = 8`, `capacity = -8`}, []string{`kiosk.toml:56: room "ada": capacity cannot be -8. Write a whole number from 0.`}},
	"room capacity a text":        {[]string{`capacity     = 8`, `capacity = "8"`}, []string{`kiosk.toml:56: room "ada": capacity must be a whole number, not a text. Write it without quotes.`}},
	"room equipment":              {[]string{`["display", "whiteboard"]`, "[\n  \"display\",\n  \"\",\n]"}, []string{`kiosk.toml:59: room "ada": equipment holds something that is not a text. Write it as ["one", "two"].`}},
	"check_in negative":           {[]string{`opens_before = "10m"`, `opens_before = "-10m"`}, []string{`kiosk.toml:61: room "ada": check_in: opens_before "-10m" is negative. Write 0s or more.`}},
	"check_in required a number":  {[]string{`required     = true`, `required = 1`}, []string{`kiosk.toml:60: room "ada": check_in: required must be true or false, not a number. Write it without quotes.`}},
	"check_in a text":             {[]string{design[strings.Index(design, "[room.check_in]"):], `check_in = "10m"`}, []string{`kiosk.toml:59: room "ada": check_in must be a single table, not a text. Head it with [room.check_in], in single brackets.`}},
	"single room":                 {[]string{`[[room]]`, `[room]`}, []string{`kiosk.toml:50: room is a single table. Head it with [[room]], in double brackets.`}},
	"room dotted": {[]string{design[strings.Index(design, "[room.check_in]"):], "check_in.required = true\n# x\ncheck_in . 'opens_before' = 5"}, []string{
		`kiosk.toml:61: room "ada": check_in: opens_before must be a duration, not a number. Write a number with its unit, such as "90s", "10m" or "1h".`,
	}},
	"rooms inline": {[]string{design[strings.Index(design, "[[room]]"):], ``, `[zoom]`, "room = [\n {id = 'a', calendar = 'google', calendar_id = 'a'},\n {id = 'b', calendar = 'x', calendar_id = 'b'}]\n[zoom]"}, []string{
		`kiosk.toml:10: room "b": calendar "x" is not configured. Write one of: dav, exchange, google, onprem.`,
	}},

	// TOML itself.
	"text without quotes":  {[]string{`"en"`, `en`}, []string{`kiosk.toml:4: the value is not valid. Put texts in double quotes, and each key on its own line.`}},
	"duration, no quotes":  {[]string{`"15s"`, `15s`}, []string{`kiosk.toml:24: something follows the end of a value. Put texts in double quotes, and each key on its own line.`}},
	"text not closed":      {[]string{`"en"`, `"en`}, []string{`kiosk.toml:4: a text ends before its closing quote. Close it on the same line.`}},
	"key twice":            {[]string{`language  =`, `time_zone =`}, []string{`kiosk.toml:4: time_zone is written twice. Remove one of them.`}},
	"single room, then []": {[]string{"[[room]]\n", "[room]\nid = 'x'\n[[room]]\n"}, []string{`kiosk.toml:52: room is written twice as a single table. Head each of them with [[room]].`}},
	"header not closed":    {[]string{`[zoom]`, `[zoom`}, []string{`kiosk.toml:8: the name of a table is not closed. Write it as [table] or [[table]].`}},
	"key alone":            {[]string{`listen    = ":8080"`, `listen`}, []string{`kiosk.toml:1: a key has no value. Write it as key = "value".`}},
	"list not closed":      {[]string{`hosts     = []`, `hosts = ["a" "b"]`}, []string{`kiosk.toml:6: a list is not closed. Put commas between its values and close it with ].`}},
	"not UTF-8":            {[]string{`Ada Lovelace`, "Ad\xe4"}, []string{`kiosk.toml:52: the text is not UTF-8. Save the file as UTF-8.`}},
	"number too large":     {[]string{`capacity     = 8`, `capacity = 99999999999999999999`}, []string{`kiosk.toml:56: a number is too large. Write a smaller one.`}},
	"date not valid":       {[]string{`capacity     = 8`, `capacity = 2026-13-01`}, []string{`kiosk.toml:56: a date is not valid. Put texts in double quotes, and each key on its own line.`}},
	"date":                 {[]string{`"en"`, `2026-11-22`}, []string{`kiosk.toml:4: language must be a text, not a date. Write it in double quotes.`}},

	// All at once, by line.
	"several": {[]string{`":8080"`, `""`, `"auto"                     #`, `true #`, `"15s"`, `"0s"`, `"ada"`, `"Ä"`, `required     = true`, `required = "yes"`}, []string{
		`kiosk.toml:1: listen is empty. Write a value, or remove the key: the default is ":8080".`,
		`kiosk.toml:5: clock must be a text, not true or false. Write it in double quotes.`,
		`kiosk.toml:24: calendar "google": poll "0s" is too short. Write 1s or more.`,
		`kiosk.toml:51: room "Ä": id "Ä" cannot be used in URLs. Write it with a-z, 0-9 and hyphens only.`,
		`kiosk.toml:60: room "Ä": check_in: required must be true or false, not a text. Write it without quotes.`,
	}},
}

// edited replaces the first occurrence of each old text in the sample.
func edited(t *testing.T, edit []string) string {
	t.Helper()
	text := design
	for i := 0; i < len(edit); i += 2 {
		if !strings.Contains(text, edit[i]) {
			t.Fatalf("the sample has no %q", edit[i])
		}
		text = strings.Replace(text, edit[i], edit[i+1], 1)
	}
	return text
}

func TestBrokenFiles(t *testing.T) {
	for name, c := range broken {
		t.Run(name, func(t *testing.T) {
			file := place(t, edited(t, c.edit))
			dir := filepath.Dir(file)
			write(t, filepath.Join(dir, "empty"), "\n", 0o600)
			write(t, filepath.Join(dir, "lines"), "a\nb\n", 0o600)
			write(t, filepath.Join(dir, "user.json"), `{"type":"authorized_user"}`, 0o600)
			cfg, err := LoadEnv(file, noEnv)
			if err == nil || cfg != nil {
				t.Fatalf("loaded %+v, error %v", cfg, err)
			}
			got := strings.ReplaceAll(strings.ReplaceAll(err.Error(), file, "kiosk.toml"), dir, "DIR")
			if diff := cmp.Diff(c.want, strings.Split(got, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFilesThatCantBeRead(t *testing.T) {
	dir := t.TempDir()
	huge := filepath.Join(dir, "huge.toml")
	write(t, huge, strings.Repeat("#", maxFile+1), 0o600)
	const remedy = ". Give the path of the configuration with --config."
	for file, want := range map[string]string{
		filepath.Join(dir, "none.toml"): "no such file or directory" + remedy,
		dir:                             "it is a directory" + remedy,
		"/dev/zero":                     "it is not a regular file" + remedy,
		huge:                            "it is larger than 8388608 bytes" + remedy,
	} {
		if _, err := LoadEnv(file, noEnv); err == nil || err.Error() != file+": the file cannot be read: "+want {
			t.Errorf("got %v", err)
		}
	}
}

func TestRoomsOnOneCalendarIsAWarning(t *testing.T) {
	again := "[[room]]\nid = \"b\"\ncalendar = \"google\"\ncalendar_id = \"c_188@resource.calendar.google.com\"\n"
	cfg := mustLoad(t, place(t, design+again))
	want := []Problem{{
		Line: 66, Key: "room.calendar_id", Reason: `room "b": calendar_id is that of line 55, too`, Remedy: "Check that both rooms share a calendar.",
	}}
	if diff := cmp.Diff(want, cfg.Warnings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A key names what it is in, for programs.
func TestProblemKeys(t *testing.T) {
	file := place(t, edited(t, []string{`opens_before = "10m"`, `opens_before = 1`, `listen    = ":8080"`, ``, `"en"`, `1`}))
	_, err := LoadEnv(file, noEnv)
	var keys []string
	if e, ok := err.(*Error); ok { //nolint:errorlint // the documented type, not a cause
		for _, p := range e.Problems {
			keys = append(keys, p.Key)
		}
	}
	if diff := cmp.Diff([]string{"language", "room.check_in.opens_before"}, keys); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadReadsTheEnvironment(t *testing.T) {
	file := place(t, design)
	credentials := t.TempDir()
	write(t, filepath.Join(credentials, "dav-password"), "from systemd", 0o600)
	t.Setenv("CREDENTIALS_DIRECTORY", credentials)
	cfg, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Calendars[3].Password.Reveal(); got != "from systemd" {
		t.Errorf("the password is %q", got)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err == nil {
		t.Error("a missing file loads")
	}
}
