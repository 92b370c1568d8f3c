package sim

import (
	"strings"
	"time"
)

// updateItem changes the end of an item, or makes one with days into one with times. On a meeting
// that somebody else organizes it changes the mailbox's copy only.
func (e *EWS) updateItem(in ewsRequest) (string, error) {
	n := in.body
	change := n.kid("ItemChanges").kid("ItemChange")
	err := first(n.takes("ConflictResolution", "MessageDisposition?", "SendMeetingInvitationsOrCancellations?"),
		n.holds("m:ItemChanges"), n.kid("ItemChanges").holds("t:ItemChange"), change.holds("t:ItemId", "t:Updates"),
		oneOf(n.attrs["ConflictResolution"], "NeverOverwrite", "AutoResolve", "AlwaysOverwrite"), change.kid("Updates").holds("t:SetItemField+"))
	if err != nil {
		return "", err
	}
	if n.attrs["SendMeetingInvitationsOrCancellations"] == "" {
		return "", ewsError{code: "ErrorSendMeetingInvitationsOrCancellationsRequired",
			message: "SendMeetingInvitationsOrCancellations is required for calendar items."}
	}
	i, err := e.writable(in, change.kid("ItemId"), n.attrs["ConflictResolution"] != "AutoResolve" || e.config().StrictKeys)
	if err != nil {
		return "", err
	}
	edited := i.clone()
	for _, field := range change.kid("Updates").kids {
		if err := setField(&edited, field, i.zone); err != nil {
			return "", err
		}
	}
	if !edited.AllDay() && edited.End.Before(edited.Start) {
		return "", ewsError{code: "ErrorCalendarEndDateIsEarlierThanStartDate", message: "EndDate is earlier than StartDate."}
	}
	e.calendar.Change(i.mailbox, i.ID, func(event *Event) {
		event.Start, event.End, event.StartDate, event.EndDate = edited.Start, edited.End, edited.StartDate, edited.EndDate
	})
	i.Event, _ = e.calendar.Event(i.mailbox, i.ID)
	return "<m:Items><t:CalendarItem>" + i.id() + "</t:CalendarItem></m:Items><m:ConflictResults><t:Count>0</t:Count></m:ConflictResults>", nil
}

// writable finds an item that the account may change. A stale change key is refused if it counts.
func (e *EWS) writable(in ewsRequest, id *node, keyCounts bool) (ewsItem, error) {
	i, role, err := e.find(in, id)
	switch {
	case err != nil:
		return ewsItem{}, err
	case !mayWrite(role):
		return ewsItem{}, errEWSAccess
	case keyCounts && id.attrs["ChangeKey"] != i.ExchangeChangeKey():
		return ewsItem{}, errEWSChange
	default:
		return i, nil
	}
}

// setField carries out a SetItemField of the properties that can be set here.
func setField(e *Event, field *node, zone *time.Location) error {
	uri, item := field.kid("FieldURI").attrs["FieldURI"], field.kid("CalendarItem")
	if err := first(field.holds("t:FieldURI", "t:CalendarItem"), oneOf(uri, "calendar:Start", "calendar:End", "calendar:IsAllDayEvent")); err != nil {
		return err
	}
	if uri == "calendar:IsAllDayEvent" {
		if err := first(item.holds("t:IsAllDayEvent"), oneOf(item.kid("IsAllDayEvent").text, "false")); err != nil {
			return err
		}
		e.Start, e.End = e.Span(zone)
		e.StartDate, e.EndDate = "", ""
		return nil
	}
	_, name, _ := strings.Cut(uri, ":")
	at, err := time.Parse(time.RFC3339, item.kid(name).text)
	if item.holds("t:"+name) != nil || err != nil {
		return errSchema("The '%s' element is invalid according to its datatype.", name)
	}
	if e.AllDay() {
		return ewsError{code: "ErrorCalendarDurationIsTooLong", message: "Days of all-day items can't be set here."}
	}
	if name == "Start" {
		e.Start = at
	} else {
		e.End = at
	}
	return nil
}

// createItem declines a meeting, which moves it to Deleted Items, where it has another id.
func (e *EWS) createItem(in ewsRequest) (string, error) {
	n := in.body
	answer := n.kid("Items").kid("DeclineItem")
	err := first(n.takes("MessageDisposition", "SendMeetingInvitations?"), n.holds("m:SavedItemFolderId?", "m:Items"),
		n.kid("Items").holds("t:DeclineItem"), answer.holds("t:Body?", "t:ReferenceItemId"), answer.kid("Body").takes("BodyType?"),
		oneOf(n.attrs["MessageDisposition"], "SaveOnly", "SendOnly", "SendAndSaveCopy"))
	if err != nil {
		return "", err
	}
	i, err := e.writable(in, answer.kid("ReferenceItemId"), e.config().StrictKeys)
	switch {
	case err != nil:
		return "", err
	case i.own():
		return "", ewsError{code: "ErrorCalendarIsOrganizerForDecline", message: "The organizer can't decline."}
	case i.Status == Cancelled:
		return "", ewsError{code: "ErrorCalendarIsCancelledForDecline", message: "The meeting was cancelled."}
	}
	e.calendar.Remove(i.mailbox, i.ID)
	return "<m:Items/>", nil
}
