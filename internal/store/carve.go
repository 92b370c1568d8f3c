package store

import (
	"encoding/binary"
	"errors"
	"io"
	"os"

	"roomkiosk/internal/rooms"
)

// The form of SQLite's files (sqlite.org/fileformat2.html), as far as rows of actions need it.
const (
	pageSize    = 4096 // of every file that the kiosk makes
	tableLeaf   = 0x0d // first byte of a page that holds rows
	leafHeader  = 8
	biggestCell = pageSize - 35 // a larger row goes on elsewhere, and is left out

	logHeader   = 32
	frameHeader = 24

	skipped = 255 // pages behind one that can't be read: 1 MiB

	actionValues = 20 // columns of actions, of which the first, seq, is the row's id
)

// carve looks for rows of actions in every page of a journal and of its log by itself, however
// little of the structure around them is left, and adds those that weren't read. It may find what was
// deleted a while ago; that is old, and is deleted again.
func carve(path string, f *found) {
	late := func() bool { return f.late(carvingFor) }
	carve := func(page []byte) { carvePage(page, f) }
	forPages(path+"-wal", logHeader, frameHeader, late, carve)
	forPages(path, 0, 0, late, carve)
}

// forPages calls do with every page of a file whose pages begin after a header, each with a header
// of its own: see eachPage.
func forPages(path string, header, each int64, late func() bool, do func([]byte)) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	eachPage(file, info.Size(), header, each, late, do)
}

// eachPage passes over the blocks that the disk can't give back. When it is late, each of them costs
// those behind it, too: they are slow to fail, and often side by side.
func eachPage(file io.ReaderAt, size, header, each int64, late func() bool, do func([]byte)) {
	page := make([]byte, pageSize)
	for at := header + each; at < size; at += each + pageSize {
		n, err := file.ReadAt(page, at)
		if err != nil && !errors.Is(err, io.EOF) {
			if late() {
				at += skipped * (each + pageSize)
			}
			continue
		}
		clear(page[n:])
		do(page)
	}
}

// carvePage adds the rows of a page, if it is one that holds actions.
func carvePage(page []byte, f *found) {
	if page[0] != tableLeaf {
		return
	}
	cells := int(binary.BigEndian.Uint16(page[3:]))
	for i := range min(cells, (pageSize-leafHeader)/2) {
		at := int(binary.BigEndian.Uint16(page[leafHeader+2*i:]))
		if at < leafHeader || at >= pageSize {
			continue
		}
		if a, seq, ok := carveRow(page[at:]); ok && plausible(a) {
			f.add(numbered{Action: a, seq: seq, carved: true})
		}
	}
}

// carveRow reads a cell: the size of its record, the row's id, and the record, which is the size of
// its header, the type of each value, and the values.
func carveRow(cell []byte) (rooms.Action, int64, bool) {
	size, cell := varint(cell)
	seq, cell := varint(cell)
	if size <= 0 || size > biggestCell || size > int64(len(cell)) {
		return rooms.Action{}, 0, false
	}
	record := cell[:size]
	header, types := varint(record)
	if header <= 0 || header > size {
		return rooms.Action{}, 0, false
	}
	types, body := types[:max(0, len(types)-int(size-header))], record[header:]
	values := make([]any, 0, actionValues)
	for len(types) > 0 && len(values) < actionValues {
		var kind int64
		kind, types = varint(types)
		value, rest, ok := carveValue(kind, body)
		if !ok {
			return rooms.Action{}, 0, false
		}
		values, body = append(values, value), rest
	}
	if len(values) != actionValues || len(types) > 0 || values[0] != nil {
		return rooms.Action{}, 0, false
	}
	values[0] = seq
	a, ok := actionOf(values)
	return a, seq, ok
}

// actionOf turns the values of a row of actions, in the order of its columns, into an action. The
// column open follows from the state.
func actionOf(values []any) (rooms.Action, bool) {
	whole := true
	text := func(i int) string {
		s, ok := values[i].(string)
		whole = whole && ok
		return s
	}
	number := func(i int) int64 {
		n, ok := values[i].(int64)
		whole = whole && ok
		return n
	}
	a := rooms.Action{
		ID: text(1), Room: text(2), Kind: rooms.ActionKind(text(3)), Reservation: text(4),
		Ref:   rooms.EventRef{EventID: text(5), ChangeKey: text(6), ResourceEmail: text(7), CalendarID: text(8)},
		Start: instant(number(9)), End: instant(number(10)), Origin: text(11), TappedAt: instant(number(12)),
		State: rooms.ActionState(text(13)), Reason: rooms.Reason(text(15)),
		ExpiresAt: instant(number(17)), Attempts: int(number(18)), UpdatedAt: instant(number(19)),
	}
	if values[16] != nil {
		a.DueAt = instant(number(16))
	}
	return a, whole
}

// carveValue reads a value of that type: nil, int64 or string.
func carveValue(kind int64, body []byte) (any, []byte, bool) {
	switch {
	case kind == 0:
		return nil, body, true
	case kind >= 1 && kind <= 6:
		width := int(kind)
		if kind >= 5 {
			width = 2*int(kind) - 4 // 6 and 8 bytes
		}
		if len(body) < width {
			return nil, nil, false
		}
		n := int64(int8(body[0]))
		for _, b := range body[1:width] {
			n = n<<8 | int64(b)
		}
		return n, body[width:], true
	case kind == 8 || kind == 9:
		return kind - 8, body, true
	case kind >= 13 && kind%2 == 1:
		size := (kind - 13) / 2
		if size > int64(len(body)) {
			return nil, nil, false
		}
		return string(body[:size]), body[size:], true
	default: // a float or a blob
		return nil, nil, false
	}
}

// varint reads a number of 1 to 9 bytes; 0 where there is none.
func varint(b []byte) (int64, []byte) {
	var n int64
	for i := range min(len(b), 9) {
		if i == 8 {
			return n<<8 | int64(b[i]), b[9:]
		}
		n = n<<7 | int64(b[i]&0x7f)
		if b[i] < 0x80 {
			return n, b[i+1:]
		}
	}
	return 0, nil
}
