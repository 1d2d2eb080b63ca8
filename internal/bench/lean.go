package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
)

// lean is a connection that sends requests made beforehand and reads of each
// answer as little as HTTP/1.1 allows.
type lean struct {
	conn net.Conn
	in   *bufio.Reader
	// release lets go of the context.
	release func() bool
}

// dial connects. The connection ends with ctx.
func dial(ctx context.Context, addr string) (*lean, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	release := context.AfterFunc(ctx, func() { _ = c.Close() })
	return &lean{c, bufio.NewReaderSize(c, 4<<10), release}, nil
}

func (l *lean) close() {
	l.release()
	_ = l.conn.Close()
}

// reply is what is read of an answer.
type reply struct {
	status   int
	length   int
	position []byte // Konto-Position, good until the next request; nil if absent
}

var (
	lengthHeader   = []byte("Content-Length: ")
	positionHeader = []byte("Konto-Position: ")
	errReply       = errors.New("answer is not of the expected form")
)

// send sends request and reads the answer.
func (l *lean) send(request []byte) (reply, error) {
	if _, err := l.conn.Write(request); err != nil {
		return reply{}, err
	}
	line, err := l.in.ReadSlice('\n')
	if err != nil {
		return reply{}, err
	}
	if len(line) < len("HTTP/1.1 200") {
		return reply{}, errReply
	}
	r := reply{length: -1}
	if r.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return r, errReply
	}
	for {
		if line, err = l.in.ReadSlice('\n'); err != nil {
			return r, err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		if text, ok := bytes.CutPrefix(line, lengthHeader); ok {
			if r.length, err = strconv.Atoi(string(text)); err != nil {
				return r, errReply
			}
		} else if text, ok := bytes.CutPrefix(line, positionHeader); ok {
			r.position = append(r.position, text...)
		}
	}
	if r.length < 0 {
		return r, errReply
	}
	if r.status >= 300 {
		body, err := io.ReadAll(io.LimitReader(l.in, int64(r.length)))
		return r, errors.Join(fmt.Errorf("answer %d: %s", r.status, body), err)
	}
	_, err = l.in.Discard(r.length)
	return r, err
}
