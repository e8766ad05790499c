package dnstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/seed2385d973/mailauth/dnsutil"
)

// parseJSON reads the form of the command mailauth.
func (z *Zone) parseJSON(text string) error {
	names, err := members([]byte(text))
	if err != nil {
		return fmt.Errorf("zone: %w", err)
	}
	for _, m := range names {
		n := &node{data: map[dnsutil.Type]dnsutil.Answer{}}
		at := key(m.name)
		if m.name == "*" {
			z.any = n
		} else if z.nodes[at] != nil {
			return fmt.Errorf("zone: %s: written twice, in different case", m.name)
		} else {
			z.nodes[at] = n
		}
		entries, err := members(m.value)
		if err != nil {
			return fmt.Errorf("zone: %s: %w", m.name, err)
		}
		for _, e := range entries {
			if err := z.entry(n, at, e.name, e.value); err != nil {
				return fmt.Errorf("zone: %s: %s: %w", m.name, e.name, err)
			}
		}
	}
	return nil
}

type member struct {
	name  string
	value json.RawMessage
}

// members reads an object in which no name stands twice; package json would let
// the last one win, and half of a zone would not be there.
func members(text []byte) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil {
		return nil, err
	} else if open != json.Delim('{') {
		return nil, fmt.Errorf("%v in place of an object", open)
	}
	var out []member
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{name: t.(string)} // nothing else can be a name
		if seen[m.name] {
			return nil, fmt.Errorf("%q is written twice", m.name)
		}
		seen[m.name] = true
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("text after the object")
	}
	return out, nil
}

func (z *Zone) entry(n *node, at, k string, v json.RawMessage) error {
	if typ, ok := strings.CutSuffix(k, "_rcode"); ok || k == "error" {
		var t dnsutil.Type
		if ok {
			num, known := dns.StringToType[typ]
			if !known || num == 0 {
				return fmt.Errorf("unknown type")
			}
			t = dnsutil.Type(num)
		}
		var word string
		if err := json.Unmarshal(v, &word); err != nil {
			return err
		}
		o, ok := rcode(word)
		if !ok {
			return fmt.Errorf("unknown word %q", word)
		}
		z.faults[question{at, t}] = o
		return nil
	}
	num, known := dns.StringToType[k]
	if !known {
		return fmt.Errorf("unknown type")
	}
	t := dnsutil.Type(num)
	a, err := answerJSON(t, v)
	if err != nil {
		return err
	}
	if !a.Empty() {
		n.data[t] = a
	}
	return nil
}

func rcode(word string) (outcome, bool) {
	switch word {
	case "nodata":
		return outcome{}, true
	case "nxdomain":
		return outcome{a: dnsutil.Answer{NXDomain: true}}, true
	case "servfail":
		return outcome{err: dnsutil.ErrServFail}, true
	case "timeout":
		return outcome{err: dnsutil.ErrTimeout}, true
	case "refused":
		return outcome{err: dnsutil.ErrRefused}, true
	case "formerr":
		return outcome{err: dnsutil.ErrFormErr}, true
	case "notimp":
		return outcome{err: dnsutil.ErrNotImp}, true
	}
	return outcome{}, false
}

// answerJSON reads the records of one type. Types that no verifier asks for are
// not looked into.
func answerJSON(t dnsutil.Type, v json.RawMessage) (a dnsutil.Answer, err error) {
	switch t {
	case dnsutil.TypeTXT:
		var records [][]chunk
		if err := json.Unmarshal(v, &records); err != nil {
			return dnsutil.Answer{}, err
		}
		for _, r := range records {
			var b strings.Builder
			for _, c := range r {
				b.WriteString(string(c))
			}
			a.TXT = append(a.TXT, b.String())
		}
	case dnsutil.TypeA, dnsutil.TypeAAAA:
		var texts []string
		if err := json.Unmarshal(v, &texts); err != nil {
			return dnsutil.Answer{}, err
		}
		for _, s := range texts {
			ip, err := netip.ParseAddr(s)
			if err != nil {
				return dnsutil.Answer{}, err
			}
			if ip.Is4() != (t == dnsutil.TypeA) || ip.Zone() != "" {
				return dnsutil.Answer{}, fmt.Errorf("%s is not an address for %s", s, t)
			}
			a.Addrs = append(a.Addrs, ip)
		}
	case dnsutil.TypeMX:
		var records [][]json.RawMessage
		if err := json.Unmarshal(v, &records); err != nil {
			return dnsutil.Answer{}, err
		}
		for _, r := range records {
			var m dnsutil.MX
			if len(r) != 2 {
				return dnsutil.Answer{}, fmt.Errorf(`an MX is [preference, "host"]`)
			}
			if err := json.Unmarshal(r[0], &m.Preference); err != nil {
				return dnsutil.Answer{}, err
			}
			if err := json.Unmarshal(r[1], &m.Host); err != nil {
				return dnsutil.Answer{}, err
			}
			m.Host = key(m.Host)
			a.MX = append(a.MX, m)
		}
	case dnsutil.TypePTR:
		if err := json.Unmarshal(v, &a.Names); err != nil {
			return dnsutil.Answer{}, err
		}
		for i, n := range a.Names {
			a.Names[i] = key(n)
		}
	case dnsutil.TypeCAA:
		var records [][]json.RawMessage
		if err := json.Unmarshal(v, &records); err != nil {
			return dnsutil.Answer{}, err
		}
		for _, r := range records {
			var c dnsutil.CAA
			if len(r) != 3 {
				return dnsutil.Answer{}, fmt.Errorf(`a CAA is [flags, "tag", "value"]`)
			}
			if err := json.Unmarshal(r[0], &c.Flags); err != nil {
				return dnsutil.Answer{}, err
			}
			if err := json.Unmarshal(r[1], (*chunk)(&c.Tag)); err != nil {
				return dnsutil.Answer{}, err
			}
			if err := json.Unmarshal(r[2], (*chunk)(&c.Value)); err != nil {
				return dnsutil.Answer{}, err
			}
			a.CAA = append(a.CAA, c)
		}
	case dnsutil.TypeCNAME:
		var target string
		if err := json.Unmarshal(v, &target); err != nil {
			return dnsutil.Answer{}, err
		}
		a.Names = []string{key(target)}
	}
	return a, nil
}

// chunk is one character-string: text, or {"b64": "..."} for raw octets.
type chunk string

func (c *chunk) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '{' {
		return json.Unmarshal(b, (*string)(c))
	}
	var raw map[string][]byte
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	v, ok := raw["b64"]
	if !ok || len(raw) != 1 {
		return fmt.Errorf(`a chunk is a string or {"b64": "..."}`)
	}
	*c = chunk(v)
	return nil
}
