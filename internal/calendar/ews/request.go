package ews

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
)

// The namespaces.
const (
	nsSOAP     = "http://schemas.xmlsoap.org/soap/envelope/"
	nsTypes    = "http://schemas.microsoft.com/exchange/services/2006/types"
	nsMessages = "http://schemas.microsoft.com/exchange/services/2006/messages"
)

// The versions that requests are written for. Newer servers answer to them all the same.
const (
	version    = "Exchange2013"
	oldVersion = "Exchange2010_SP2"
)

// request is one operation.
type request struct {
	operation string // its element, without a namespace
	write     bool   // it changes something: never repeated by itself
	body      func(mailbox string, impersonate bool) string
	known     remembered // this answer ends in errUnchanged; zero: none does
}

// itemFields are the properties that [item] reads. What Exchange calls a FieldURI has to be one that
// its schema knows, or the whole request is refused.
const itemFields = `<t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>` +
	`<t:FieldURI FieldURI="item:Subject"/><t:FieldURI FieldURI="item:Sensitivity"/>` +
	`<t:FieldURI FieldURI="calendar:Start"/><t:FieldURI FieldURI="calendar:End"/><t:FieldURI FieldURI="calendar:IsAllDayEvent"/>` +
	`<t:FieldURI FieldURI="calendar:LegacyFreeBusyStatus"/><t:FieldURI FieldURI="calendar:IsMeeting"/>` +
	`<t:FieldURI FieldURI="calendar:IsCancelled"/><t:FieldURI FieldURI="calendar:CalendarItemType"/>` +
	`<t:FieldURI FieldURI="calendar:MyResponseType"/><t:FieldURI FieldURI="calendar:Organizer"/>` +
	`</t:AdditionalProperties>`

// findItem asks for the occurrences that touch [from, to), at most so many of them.
func findItem(from, to time.Time, most int) request {
	return request{operation: "FindItem", body: func(mailbox string, impersonate bool) string {
		return fmt.Sprintf(`<m:FindItem Traversal="Shallow"><m:ItemShape>%s</m:ItemShape>`+
			`<m:CalendarView MaxEntriesReturned="%d" StartDate="%s" EndDate="%s"/>`+
			`<m:ParentFolderIds>%s</m:ParentFolderIds></m:FindItem>`,
			itemFields, most, instant(from), instant(to), calendarFolder(mailbox, impersonate))
	}}
}

func getItem(id string) request {
	return request{operation: "GetItem", body: func(string, bool) string {
		return fmt.Sprintf(`<m:GetItem><m:ItemShape>%s</m:ItemShape><m:ItemIds><t:ItemId Id="%s"/></m:ItemIds></m:GetItem>`,
			itemFields, escaped(id))
	}}
}

// getRights asks what the account may do with the room's calendar.
func getRights() request {
	return request{operation: "GetFolder", body: func(mailbox string, impersonate bool) string {
		return `<m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape><t:AdditionalProperties>` +
			`<t:FieldURI FieldURI="folder:EffectiveRights"/></t:AdditionalProperties></m:FolderShape>` +
			`<m:FolderIds>` + calendarFolder(mailbox, impersonate) + `</m:FolderIds></m:GetFolder>`
	}}
}

// shorten sets the end of an item; one of whole days has to become one of hours first. Attendees are
// not told: the room is free again, that is all.
func shorten(id itemID, r rooms.Reservation, until time.Time) request {
	changes := setField("End", instant(until))
	if r.AllDay {
		changes = setField("IsAllDayEvent", "false") + setField("Start", instant(r.Start)) + changes
	}
	return request{operation: "UpdateItem", write: true, body: func(string, bool) string {
		return `<m:UpdateItem ConflictResolution="AutoResolve" SendMeetingInvitationsOrCancellations="SendToNone">` +
			`<m:ItemChanges><t:ItemChange>` + id.named("ItemId") + `<t:Updates>` + changes + `</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>`
	}}
}

func setField(name, value string) string {
	return fmt.Sprintf(`<t:SetItemField><t:FieldURI FieldURI="calendar:%[1]s"/><t:CalendarItem><t:%[1]s>%[2]s</t:%[1]s></t:CalendarItem></t:SetItemField>`,
		name, value)
}

// declineComment is what the organizer is told, in the mail that Exchange sends in the room's name.
const declineComment = "The room was released at its door."

// decline answers a meeting with no, which takes it off the room's calendar and tells its organizer.
func decline(id itemID) request {
	return request{operation: "CreateItem", write: true, body: func(string, bool) string {
		return `<m:CreateItem MessageDisposition="SendAndSaveCopy"><m:Items><t:DeclineItem><t:Body BodyType="Text">` + declineComment + `</t:Body>` +
			id.named("ReferenceItemId") + `</t:DeclineItem></m:Items></m:CreateItem>`
	}}
}

func (id itemID) named(element string) string {
	return fmt.Sprintf(`<t:%s Id="%s" ChangeKey="%s"/>`, element, escaped(id.ID), escaped(id.ChangeKey))
}

// calendarFolder names the room's calendar. With impersonation the account is the room, and it is
// its own; else it is somebody else's.
func calendarFolder(mailbox string, impersonate bool) string {
	if impersonate {
		return `<t:DistinguishedFolderId Id="calendar"/>`
	}
	return `<t:DistinguishedFolderId Id="calendar"><t:Mailbox><t:EmailAddress>` + escaped(mailbox) +
		`</t:EmailAddress></t:Mailbox></t:DistinguishedFolderId>`
}

// envelope is the whole body of a request.
func (r request) envelope(mailbox string, impersonate bool, version string) string {
	as := ""
	if impersonate {
		as = `<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>` + escaped(mailbox) +
			`</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>`
	}
	return `<?xml version="1.0" encoding="utf-8"?>` +
		`<soap:Envelope xmlns:soap="` + nsSOAP + `" xmlns:t="` + nsTypes + `" xmlns:m="` + nsMessages + `">` +
		`<soap:Header><t:RequestServerVersion Version="` + version + `"/>` + as + `</soap:Header>` +
		`<soap:Body>` + r.body(mailbox, impersonate) + `</soap:Body></soap:Envelope>`
}

// escaped is text for an element or an attribute in double quotes.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
