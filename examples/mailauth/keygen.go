package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/records"
)

// keygenCommand makes a key pair and prints the record to publish, as a line of a
// zone file. What else it says stands in comments, so that the output can be
// appended to a zone, or be read as PEM.
func keygenCommand(args []string, stdout, stderr io.Writer) error {
	var kind, name, selector, out string
	var pkcs1 bool
	fs := newFlagSet("keygen", stderr)
	fs.StringVar(&kind, "type", string(dkim.RSA2048), "rsa2048, rsa3072, rsa4096 or ed25519")
	fs.StringVar(&name, "domain", "", "the signing `domain`")
	fs.StringVar(&selector, "selector", "", "the `name` of the key")
	fs.StringVar(&out, "out", "", "write the private key to this new `file`; default is standard output")
	fs.BoolVar(&pkcs1, "pkcs1", false, "write an RSA key as PKCS #1, for older programs")
	rest, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(rest) > 0 || name == "" || selector == "" {
		return usageError{errors.New("keygen wants -domain and -selector")}
	}
	if _, err := dkim.KeyName(selector, name); err != nil {
		return err
	}
	key, err := dkim.GenerateKey(dkim.KeyKind(kind))
	if err != nil {
		return err
	}
	text := key.PEM()
	if pkcs1 {
		if text = key.PKCS1(); text == nil {
			return usageError{errors.New("-pkcs1 is for RSA keys")}
		}
	}
	if out == "" {
		if _, err := stdout.Write(text); err != nil {
			return err
		}
	} else if err := writeNew(out, text); err != nil {
		return err
	}
	r := key.Record()
	line, err := r.ZoneLine(selector, name)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "; Publish this record, then see whether it arrived: mailauth lookup %s %s\n%s\n; The same as one value, for a form: %s\n", name, selector, line, r)
	return nil
}

// writeNew writes a file that nobody else can read, and never over another key.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// recordsCommand prints the records to publish, to be pasted into a zone.
func recordsCommand(args []string, stdout, stderr io.Writer) error {
	var p records.SPFPolicy
	var reports, keys, selectors []string
	var noMail bool
	fs := newFlagSet("records", stderr)
	fs.BoolVar(&noMail, "nomail", false, "the domain sends no mail and takes none")
	fs.BoolVar(&p.MX, "mx", false, "SPF: the domain's mail exchangers send")
	fs.BoolVar(&p.A, "a", false, "SPF: the domain's own addresses send")
	fs.BoolVar(&p.SoftFail, "softfail", false, "SPF: ~all in place of -all")
	fs.Func("ip", "SPF: an `address` or network that sends; may be repeated", func(v string) error {
		n, err := netip.ParsePrefix(v)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(v); err == nil {
				n = netip.PrefixFrom(a, a.BitLen())
			}
		}
		p.Networks = append(p.Networks, n)
		return err
	})
	fs.Func("include", "SPF: a provider's `domain`; may be repeated", appendTo(&p.Include))
	fs.Func("selector", "DKIM: the `name` of a key; may be repeated, once for each -key", appendTo(&selectors))
	fs.Func("key", "DKIM: a PEM `file` with the private key; may be repeated", appendTo(&keys))
	fs.Func("rua", "DMARC: a mail `address` for the reports; may be repeated", appendTo(&reports))
	names, err := parseArgs(fs, args)
	if err != nil {
		return err
	}
	if len(names) != 1 || len(keys) != len(selectors) || !noMail && len(reports) == 0 {
		return usageError{errors.New("records wants a domain and either -nomail or -rua, and a -selector for each -key")}
	}
	var b bytes.Buffer
	if noMail {
		list, err := records.NoMail(names[0])
		if err != nil {
			return err
		}
		_, err = io.WriteString(stdout, records.Zone(list))
		return err
	}
	stages, err := records.Rollout(names[0], reports...)
	if err != nil {
		return err
	}
	text, err := p.Record()
	if err != nil {
		return err
	}
	at := strings.TrimPrefix(stages[0].Entry.Name, "_dmarc.")
	list := []records.Entry{{Name: at, Type: "TXT", Data: text, Why: "who may send with the domain in MAIL FROM"}}
	for i := range keys {
		key, err := readKey(keys[i])
		if err != nil {
			return err
		}
		name, err := dkim.KeyName(selectors[i], names[0])
		if err != nil {
			return err
		}
		list = append(list, records.Entry{Name: name, Type: "TXT", Data: key.Record().String(), Why: "the key that signs with s=" + selectors[i]})
	}
	b.WriteString(records.Zone(list))
	b.WriteString("; DMARC: publish the record of one stage at a time, in place of the one before.\n")
	for i, s := range stages {
		fmt.Fprintf(&b, "; %s. %s.\n", s.Title, s.Next)
		b.WriteString(records.Zone(s.Others))
		prefix := "; "
		if i == 0 {
			prefix = "" // what to begin with
		}
		b.WriteString(prefix + s.Entry.String() + "\n")
		stages[min(i+1, len(stages)-1)].Others = nil // once is enough
	}
	_, err = stdout.Write(b.Bytes())
	return err
}
