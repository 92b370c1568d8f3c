package sim

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ewsError is a refusal by Exchange. It is told inside an answer of status 200, or for the request as
// a whole by a SOAP fault of status 500.
type ewsError struct {
	code    string
	message string
	fault   bool
	backOff time.Duration // > 0: told as BackOffMilliseconds
}

// Error is the message with its code.
func (e ewsError) Error() string { return e.code + ": " + e.message }

func errSchema(format string, args ...any) error {
	return ewsError{code: "ErrorSchemaValidation", message: "The request failed schema validation: " + fmt.Sprintf(format, args...), fault: true}
}

var (
	errEWSAccess = ewsError{code: "ErrorAccessDenied", message: "Access is denied. Check credentials and try again."}
	errEWSItem   = ewsError{code: "ErrorItemNotFound", message: "The specified object was not found in the store."}
	errEWSChange = ewsError{code: "ErrorIrresolvableConflict", message: "The send or update operation could not be performed because the change key " +
		"passed in the request does not match the current change key for the item."}
	errEWSMailbox = ewsError{code: "ErrorNonExistentMailbox", message: "The SMTP address has no mailbox associated with it."}
)

// ewsRequest is a request that was let through.
type ewsRequest struct {
	as   string // the mailbox that is impersonated; empty: nobody
	body *node  // the operation's element
}

// ewsVersions are those that a client may ask for, in their order.
var ewsVersions = []string{
	"Exchange2007", "Exchange2007_SP1", "Exchange2010", "Exchange2010_SP1", "Exchange2010_SP2", "Exchange2013", "Exchange2013_SP1",
	"Exchange2015", "Exchange2016",
}

// answer carries out POST /EWS/Exchange.asmx.
func (e *EWS) answer(w http.ResponseWriter, r *http.Request) {
	if !e.signIn(w, r) {
		return
	}
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "text/xml" {
		http.Error(w, "Unsupported Media Type", http.StatusUnsupportedMediaType)
		return
	}
	operation := ""
	in, err := e.readRequest(r)
	if err == nil {
		operation = in.body.Local
		err = e.refusal(operation)
	}
	said := ""
	if err == nil {
		said, err = e.perform(in)
	}
	if err != nil {
		asEWSError(err).write(w, operation)
		return
	}
	sendEWS(w, http.StatusOK, responseMessage(operation, "Success", "<m:ResponseCode>NoError</m:ResponseCode>"+said))
}

// perform carries out an operation and returns what its response message holds beside the code.
func (e *EWS) perform(in ewsRequest) (string, error) {
	switch in.body.Local {
	case "FindItem":
		return e.findItem(in)
	case "GetItem":
		return e.getItem(in)
	case "GetFolder":
		return e.getFolder(in)
	case "UpdateItem":
		return e.updateItem(in)
	case "CreateItem":
		return e.createItem(in)
	default:
		return "", errSchema("There is no operation '%s' here.", in.body.Local)
	}
}

// readRequest reads the envelope and its headers.
func (e *EWS) readRequest(r *http.Request) (ewsRequest, error) {
	top, err := readXML(r.Body)
	if err != nil {
		return ewsRequest{}, errSchema("%v", err)
	}
	if !top.is("s:Envelope") {
		return ewsRequest{}, errSchema("The element '%s' is not declared.", top.Local)
	}
	header, body := top.kid("Header"), top.kid("Body")
	if err := first(top.holds("s:Header?", "s:Body"), e.checkVersion(header)); err != nil {
		return ewsRequest{}, err
	}
	if len(body.kids) != 1 || body.kids[0].Space != ewsMessages {
		return ewsRequest{}, errSchema("The element 'Body' has no operation.")
	}
	operation := body.kids[0]
	if action := strings.Trim(r.Header.Get("SOAPAction"), `"`); action != "" && action != ewsMessages+"/"+operation.Local {
		return ewsRequest{}, errSchema("The SOAPAction is of another operation.")
	}
	as, err := e.impersonated(header)
	return ewsRequest{as, operation}, err
}

func (e *EWS) checkVersion(header *node) error {
	for _, h := range header.kids {
		if !h.is("t:RequestServerVersion") && !h.is("t:ExchangeImpersonation") {
			return errSchema("The header '%s' is not declared.", h.Local)
		}
	}
	if !header.has("RequestServerVersion") {
		return nil
	}
	asked := header.kid("RequestServerVersion")
	if err := asked.takes("Version"); err != nil {
		return err
	}
	at := slices.Index(ewsVersions, asked.attrs["Version"])
	if at < 0 || at > slices.Index(ewsVersions, e.config().Newest) {
		return ewsError{code: "ErrorInvalidServerVersion", message: "The specified server version is invalid.", fault: true}
	}
	return nil
}

// impersonated returns the mailbox that the account acts as; empty: none.
func (e *EWS) impersonated(header *node) (string, error) {
	if !header.has("ExchangeImpersonation") {
		return "", nil
	}
	who := header.kid("ExchangeImpersonation")
	sid := who.kid("ConnectingSID")
	if err := first(who.holds("t:ConnectingSID"), sid.holds("t:PrimarySmtpAddress")); err != nil {
		return "", err
	}
	e.mu.Lock()
	allowed := e.impersonate
	e.mu.Unlock()
	if !allowed {
		return "", ewsError{code: "ErrorImpersonateUserDenied", message: "The account does not have permission to impersonate the requested user.", fault: true}
	}
	mailbox := sid.kid("PrimarySmtpAddress").text
	if _, exists := e.calendar.about(mailbox); !exists {
		missing := errEWSMailbox
		missing.fault = true
		return "", missing
	}
	return mailbox, nil
}

func responseMessage(operation, class, inside string) string {
	return fmt.Sprintf(`<m:%[1]sResponse xmlns:m="%[2]s" xmlns:t="%[3]s"><m:ResponseMessages><m:%[1]sResponseMessage ResponseClass="%[4]s">`+
		`%[5]s</m:%[1]sResponseMessage></m:ResponseMessages></m:%[1]sResponse>`, operation, ewsMessages, ewsTypes, class, inside)
}

func sendEWS(w http.ResponseWriter, status int, body string) {
	h := w.Header()
	h.Set("Content-Type", "text/xml; charset=utf-8")
	h.Set("Server", "Microsoft-IIS/10.0")
	h.Set("X-FEServer", "EX01")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="` + ewsSOAP + `"><s:Header>` +
		`<h:ServerVersionInfo MajorVersion="15" MinorVersion="2" MajorBuildNumber="1544" MinorBuildNumber="4" Version="V2017_07_11" xmlns:h="` +
		ewsTypes + `"/></s:Header><s:Body>` + body + `</s:Body></s:Envelope>`))
}

func asEWSError(err error) ewsError {
	var e ewsError
	if errors.As(err, &e) {
		return e
	}
	return ewsError{code: "ErrorInternalServerError", message: "An internal server error occurred.", fault: true}
}

func (e ewsError) write(w http.ResponseWriter, operation string) {
	if e.fault || operation == "" {
		sendEWS(w, http.StatusInternalServerError, e.soap())
		return
	}
	sendEWS(w, http.StatusOK, responseMessage(operation, "Error", "<m:MessageText>"+xmlText(e.message)+"</m:MessageText><m:ResponseCode>"+e.code+
		"</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>"))
}

// soap is the error as a SOAP fault.
func (e ewsError) soap() string {
	wait := ""
	if e.backOff > 0 {
		wait = `<t:MessageXml xmlns:t="` + ewsTypes + `"><t:Value Name="BackOffMilliseconds">` + strconv.FormatInt(e.backOff.Milliseconds(), 10) +
			`</t:Value></t:MessageXml>`
	}
	return fmt.Sprintf(`<s:Fault><faultcode xmlns:a="%[1]s">a:%[2]s</faultcode><faultstring xml:lang="en-US">%[3]s</faultstring><detail>`+
		`<e:ResponseCode xmlns:e="%[4]s">%[2]s</e:ResponseCode><e:Message xmlns:e="%[4]s">%[3]s</e:Message>%[5]s</detail></s:Fault>`,
		ewsTypes, e.code, xmlText(e.message), ewsErrors, wait)
}

// EWSFault is any SOAP fault of Exchange.
func EWSFault(code string) Fault { return ewsError{code: code, message: "Refused."}.asFault() }

// EWSBusy is how Exchange says that there are too many requests: not with 429. It mostly says for how
// long, though not always (0).
func EWSBusy(backOff time.Duration) Fault {
	return ewsError{code: "ErrorServerBusy", message: "The server cannot service this request right now. Try again later.", backOff: backOff}.asFault()
}

func (e ewsError) asFault() Fault {
	out := &answer{header: http.Header{}}
	sendEWS(out, http.StatusInternalServerError, e.soap())
	return Fault{Path: "/EWS/", Status: out.status, Header: out.header, Body: out.body.String()}
}

// refuseAsEWS answers with a status that a fault asked for.
func refuseAsEWS(w http.ResponseWriter, status int) {
	switch status {
	case http.StatusInternalServerError:
		asEWSError(nil).write(w, "")
	default:
		w.Header().Set("Content-Type", "text/html; charset=us-ascii")
		w.Header().Set("Server", "Microsoft-IIS/10.0")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<!DOCTYPE HTML><TITLE>%s</TITLE>", http.StatusText(status))
	}
}
