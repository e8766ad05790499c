// Package maildir delivers into Maildirs: a message is there as a whole or not at all.
package maildir

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ErrAddress: an address that no mailbox can have here.
var ErrAddress = errors.New("no mailbox can have this address")

// Quarantine is the folder for suspicious mail, as Maildir++ names folders.
const Quarantine = ".Quarantine"

// Box returns the Maildir of an address below root: root/domain/local-part, in lower
// case. What could lead elsewhere, hide or be too long for a file name is ErrAddress.
func Box(root, address string) (string, error) {
	i := strings.LastIndexByte(address, '@')
	if i < 0 || !plain(address[:i], 64) || !plain(address[i+1:], 253) {
		return "", fmt.Errorf("%w: %.100q", ErrAddress, address)
	}
	return filepath.Join(root, strings.ToLower(address[i+1:]), strings.ToLower(address[:i])), nil
}

func plain(s string, limit int) bool {
	if s == "" || len(s) > limit || s[0] == '.' || !utf8.ValidString(s) {
		return false
	}
	for _, c := range s {
		switch {
		case c > unicode.MaxASCII && unicode.IsGraphic(c) && !unicode.IsSpace(c):
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.ContainsRune("!#$%&'*+-=?^_`{|}~.", c):
		default:
			return false
		}
	}
	return true
}

// Exists reports whether there is such a Maildir.
func Exists(box string) bool {
	info, err := os.Stat(filepath.Join(box, "new"))
	return err == nil && info.IsDir()
}

// Create makes a Maildir, where it is not there yet.
func Create(box string) error {
	for _, d := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(box, d), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// Deliver delivers the file to all boxes or, as far as that is in its power, to none.
// The file must be complete and synced, and lie on the same file system for delivery
// without copying. When it has returned nil, the message is on the disk.
func Deliver(file string, boxes []string) (err error) {
	name := fmt.Sprintf("%d.%s.mailauth", time.Now().UnixNano(), rand.Text())
	var made []string
	defer func() {
		if err != nil {
			for _, f := range made {
				os.Remove(f)
			}
		}
	}()
	for _, box := range boxes {
		if err := Create(box); err != nil {
			return err
		}
		tmp := filepath.Join(box, "tmp", name)
		made = append(made, tmp)
		if os.Link(file, tmp) == nil {
			continue
		}
		if err := copyFile(file, tmp); err != nil {
			return err
		}
	}
	for _, box := range boxes {
		fresh := filepath.Join(box, "new", name)
		if err := os.Rename(filepath.Join(box, "tmp", name), fresh); err != nil {
			return err
		}
		made = append(made, fresh)
		if err := syncDir(filepath.Join(box, "new")); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// syncDir makes the names of a directory as durable as the files.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
