package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// items are the events of a mailbox as EWS shows them, by start.
func (e *EWS) items(mailbox string) []ewsItem {
	about, _ := e.calendar.about(mailbox)
	cfg := e.config()
	zone := about.zone
	if cfg.OrganizerZone != nil {
		zone = cfg.OrganizerZone
	}
	e.mu.Lock()
	plain := e.defaults[mailbox]
	e.mu.Unlock()
	var out []ewsItem
	for _, event := range e.calendar.Events(mailbox) {
		out = append(out, ewsItem{event, mailbox, about.name, zone, plain, cfg.RawControls})
	}
	return out
}

// findItem lists the occurrences in a CalendarView.
func (e *EWS) findItem(in ewsRequest) (string, error) {
	n := in.body
	uris, err := itemShape(n.kid("ItemShape"))
	view, folder := n.kid("CalendarView"), n.kid("ParentFolderIds")
	err = first(n.takes("Traversal"), n.holds("m:ItemShape", "m:CalendarView", "m:ParentFolderIds"), oneOf(n.attrs["Traversal"], "Shallow"),
		err, view.holds(), view.takes("MaxEntriesReturned?", "StartDate", "EndDate"))
	if err != nil {
		return "", err
	}
	mailbox, _, err := e.folder(in, folder)
	if err != nil {
		return "", err
	}
	from, to, most, err := e.window(view)
	if err != nil {
		return "", err
	}
	found := slices.DeleteFunc(e.items(mailbox), func(i ewsItem) bool {
		start, end := i.span()
		return end.Before(from) || !start.Before(to)
	})
	total, cfg := len(found), e.config()
	if cfg.FindLimit > 0 && total > cfg.FindLimit && most > cfg.FindLimit {
		return "", ewsError{code: "ErrorExceededFindCountLimit", message: "You have exceeded the maximum number of objects that can be returned for the find operation."}
	}
	if cfg.MaxItems > 0 {
		most = min(most, cfg.MaxItems)
	}
	found = found[:min(total, most)]
	var b strings.Builder
	for _, i := range found {
		b.WriteString(i.render(uris))
	}
	return fmt.Sprintf(`<m:RootFolder TotalItemsInView="%d" IncludesLastItemInRange="%t"><t:Items>%s</t:Items></m:RootFolder>`,
		total, len(found) == total, b.String()), nil
}

// window reads a CalendarView.
func (e *EWS) window(view *node) (from, to time.Time, most int, err error) {
	from, err1 := time.Parse(time.RFC3339, view.attrs["StartDate"])
	to, err2 := time.Parse(time.RFC3339, view.attrs["EndDate"])
	most = int(^uint(0) >> 1)
	var err3 error
	if text, there := view.attrs["MaxEntriesReturned"]; there {
		most, err3 = strconv.Atoi(text)
	}
	switch {
	case err1 != nil || err2 != nil || err3 != nil || most < 1:
		err = errSchema("An attribute of 'CalendarView' is invalid according to its datatype.")
	case to.Before(from):
		err = ewsError{code: "ErrorCalendarEndDateIsEarlierThanStartDate", message: "EndDate is earlier than StartDate."}
	case to.Sub(from) > e.config().RangeLimit:
		err = ewsError{code: "ErrorCalendarViewRangeTooBig", message: "The specified calendar view exceeds the maximum range."}
	}
	return from, to, most, err
}

// itemShape returns the properties that are asked for.
func itemShape(n *node) ([]string, error) {
	if err := first(n.holds("t:BaseShape", "t:AdditionalProperties?"), oneOf(n.kid("BaseShape").text, "IdOnly")); err != nil {
		return nil, err
	}
	var uris []string
	for _, field := range n.kid("AdditionalProperties").kids {
		uri := field.attrs["FieldURI"]
		known := slices.ContainsFunc(ewsProperties(), func(p ewsProperty) bool { return p.uri == uri })
		if !field.is("t:FieldURI") || !known {
			return nil, errSchema("The 'FieldURI' attribute is invalid - The value '%s' is invalid according to its datatype.", uri)
		}
		uris = append(uris, uri)
	}
	return uris, nil
}

// folder finds the mailbox whose calendar is named, and what the account may do there.
func (e *EWS) folder(in ewsRequest, ids *node) (string, Role, error) {
	id := ids.kid("DistinguishedFolderId")
	box := id.kid("Mailbox")
	if err := first(ids.holds("t:DistinguishedFolderId"), id.takes("Id"), id.holds("t:Mailbox?"), oneOf(id.attrs["Id"], "calendar")); err != nil {
		return "", "", err
	}
	if !id.has("Mailbox") {
		if in.as == "" {
			return "", "", ewsError{code: "ErrorFolderNotFound", message: "The account has no calendar of its own."}
		}
		return in.as, Owner, nil
	}
	if err := box.holds("t:EmailAddress"); err != nil {
		return "", "", err
	}
	mailbox := box.kid("EmailAddress").text
	role := e.role(mailbox)
	if mailbox == in.as {
		role = Owner
	}
	if _, exists := e.calendar.about(mailbox); !exists {
		return "", "", errEWSMailbox
	}
	if role != Reader && !mayWrite(role) {
		return "", "", errEWSAccess
	}
	return mailbox, role, nil
}

// find returns the item that an id names, in the mailboxes that the account may see.
func (e *EWS) find(in ewsRequest, id *node) (ewsItem, Role, error) {
	if err := first(id.takes("Id", "ChangeKey?"), id.holds()); err != nil {
		return ewsItem{}, "", err
	}
	mailboxes := e.shared()
	if in.as != "" {
		mailboxes = []string{in.as}
	}
	for _, mailbox := range mailboxes {
		role := e.role(mailbox)
		if mailbox == in.as {
			role = Owner
		}
		for _, i := range e.items(mailbox) {
			if i.ExchangeID() == id.attrs["Id"] {
				return i, role, nil
			}
		}
	}
	return ewsItem{}, "", errEWSItem
}

// getItem returns one item.
func (e *EWS) getItem(in ewsRequest) (string, error) {
	n := in.body
	ids := n.kid("ItemIds")
	uris, err := itemShape(n.kid("ItemShape"))
	if err = first(n.takes(), n.holds("m:ItemShape", "m:ItemIds"), err, ids.holds("t:ItemId")); err != nil {
		return "", err
	}
	i, _, err := e.find(in, ids.kid("ItemId"))
	if err != nil {
		return "", err
	}
	return "<m:Items>" + i.render(uris) + "</m:Items>", nil
}

// getFolder tells what the account may do with a calendar.
func (e *EWS) getFolder(in ewsRequest) (string, error) {
	n := in.body
	shape := n.kid("FolderShape")
	field := shape.kid("AdditionalProperties").kid("FieldURI")
	err := first(n.takes(), n.holds("m:FolderShape", "m:FolderIds"), shape.holds("t:BaseShape", "t:AdditionalProperties"),
		oneOf(shape.kid("BaseShape").text, "IdOnly"), oneOf(field.attrs["FieldURI"], "folder:EffectiveRights"))
	if err != nil {
		return "", err
	}
	mailbox, role, err := e.folder(in, n.kid("FolderIds"))
	if err != nil {
		return "", err
	}
	write, owner := mayWrite(role), role == Owner
	return fmt.Sprintf(`<m:Folders><t:CalendarFolder><t:FolderId Id="%s" ChangeKey="AgAAAA=="/><t:EffectiveRights>`+
		`<t:CreateAssociated>%[2]t</t:CreateAssociated><t:CreateContents>%[3]t</t:CreateContents><t:CreateHierarchy>%[2]t</t:CreateHierarchy>`+
		`<t:Delete>%[2]t</t:Delete><t:Modify>%[3]t</t:Modify><t:Read>true</t:Read><t:ViewPrivateItems>%[2]t</t:ViewPrivateItems>`+
		`</t:EffectiveRights></t:CalendarFolder></m:Folders>`, xmlText("calendar of "+mailbox), owner, write), nil
}
