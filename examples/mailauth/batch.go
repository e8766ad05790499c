package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/message"
)

// request is one line of batch's input. Fields that an operation does not use
// are ignored.
type request struct {
	ID  string          `json:"id"`
	Op  string          `json:"op"`
	DNS json.RawMessage `json:"dns"`
	Now string          `json:"now"`

	Message  []byte       `json:"message_b64"`
	IP       string       `json:"ip"`
	HELO     string       `json:"helo"`
	MailFrom string       `json:"mail_from"`
	Receiver string       `json:"receiver"`
	Options  batchOptions `json:"options"`

	// For dmarc without a message.
	From *string      `json:"from"`
	SPF  *identifier  `json:"spf"`
	DKIM []identifier `json:"dkim"`

	// For bimi, without a message too.
	DMARC    string `json:"dmarc"`
	HTTP     web    `json:"http"`
	RootsPEM string `json:"roots_pem"`
	// IntermediatesPEM are authorities that are not trusted by themselves, for a
	// certificate that is published alone.
	IntermediatesPEM string `json:"intermediates_pem"`
	CTKeysPEM        string `json:"ct_keys_pem"`
	SVG              []byte `json:"svg_b64"`
	PEM              string `json:"pem"`

	Domain           string `json:"domain"`
	Selector         string `json:"selector"`
	Record           string `json:"record"`
	Value            string `json:"value"`
	Lenient          bool   `json:"lenient"`
	Canonicalization string `json:"canonicalization"`
	Length           *int64 `json:"length"`
	File             []byte `json:"file_b64"`

	line []byte // the whole request, for operations with a shape of their own
}

type batchOptions struct {
	AllowSHA1       bool   `json:"allow_sha1"`
	MinRSABits      int    `json:"min_rsa_bits"`
	AllowBodyLength bool   `json:"allow_body_length"`
	OrgDomain       string `json:"org_domain"`
	MaxVoidLookups  *int   `json:"max_void_lookups"`
	HonorReject     bool   `json:"honor_reject"`
	BIMI            bool   `json:"bimi"`

	TrustedSealers []string `json:"trusted_sealers"`
}

type identifier struct {
	Result   string `json:"result"`
	Domain   string `json:"domain"`
	Selector string `json:"selector"`
}

// operation answers one request with a value that encoding/json can write.
type operation func(ctx context.Context, q *request) (any, error)

func operations() map[string]operation {
	return map[string]operation{
		"evaluate":       opEvaluate,
		"spf":            opSPF,
		"dkim":           opDKIM,
		"arc":            opARC,
		"seal":           opSeal,
		"dmarc":          opDMARC,
		"from":           opFrom,
		"org_domain":     opOrgDomain,
		"spf_record":     opSPFRecord,
		"dkim_key":       opDKIMKey,
		"dmarc_record":   opDMARCRecord,
		"authres":        opAuthres,
		"authres_format": opAuthresFormat,
		"bodyhash":       opBodyHash,
		"sign":           opSign,

		"bimi":             opBIMI,
		"bimi_record":      opBIMIRecord,
		"svg":              opSVG,
		"mark_certificate": opMarkCertificate,

		"aggregate_report": opAggregateReport,
		"failure_report":   opFailureReport,
	}
}

// batch reads one JSON object a line and writes one a line, in the same order.
func batch(ctx context.Context, in io.Reader, out io.Writer) error {
	ops := operations()
	r, w := bufio.NewReader(in), bufio.NewWriter(out)
	for ctx.Err() == nil {
		line, err := r.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if _, err := w.Write(append(answer(ctx, ops, line), '\n')); err != nil {
				return err
			}
			if err := w.Flush(); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

type reply struct {
	ID     string `json:"id"`
	Result any    `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

func answer(ctx context.Context, ops map[string]operation, line []byte) []byte {
	rep := reply{}
	res, id, err := perform(ctx, ops, line)
	rep.ID = id
	if err == nil {
		rep.Result = res
	} else {
		rep.Error = err.Error()
	}
	data, err := marshal(rep)
	if err != nil {
		data, _ = marshal(reply{ID: id, Error: err.Error()})
	}
	return data
}

// marshal is json.Marshal without HTML escapes, for readers' sake.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

func perform(ctx context.Context, ops map[string]operation, line []byte) (res any, id string, err error) {
	q := request{line: line}
	if err := json.Unmarshal(line, &q); err != nil {
		// The id helps even where the rest of the line does not fit.
		var only struct {
			ID any `json:"id"`
		}
		if json.Unmarshal(line, &only) == nil {
			id, _ = only.ID.(string)
		}
		return nil, id, fmt.Errorf("bad request: %w", err)
	}
	op, ok := ops[q.Op]
	if !ok {
		return nil, q.ID, fmt.Errorf("unknown op %q", q.Op)
	}
	res, err = op(ctx, &q)
	return res, q.ID, err
}

// zone is the only DNS that a request sees.
func (q *request) zone() (*dnstest.Zone, error) {
	text := string(q.DNS)
	if text == "" || text == "null" {
		text = "{}"
	}
	if text[0] != '{' {
		return nil, errors.New("dns: not an object") // Parse would read zone text
	}
	z, err := dnstest.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("dns: %w", err)
	}
	return z, nil
}

func (q *request) session() (mailauth.Session, error) {
	s := mailauth.Session{HELO: q.HELO, MailFrom: q.MailFrom, Receiver: q.Receiver}
	if q.IP != "" {
		ip, err := netip.ParseAddr(q.IP)
		if err != nil {
			return s, fmt.Errorf("ip: %w", err)
		}
		s.IP = ip
	}
	t, err := q.time()
	s.Time = t
	return s, err
}

func (q *request) time() (time.Time, error) {
	if q.Now == "" {
		return time.Now(), nil
	}
	t, err := time.Parse(time.RFC3339, q.Now)
	if err != nil {
		return t, fmt.Errorf("now: %w", err)
	}
	return t, nil
}

func (q *request) evaluator() (*mailauth.Evaluator, error) {
	z, err := q.zone()
	if err != nil {
		return nil, err
	}
	e := &mailauth.Evaluator{Resolver: z}
	o := q.Options
	e.DKIM.AllowSHA1 = o.AllowSHA1
	e.DKIM.AllowBodyLength = o.AllowBodyLength
	e.DKIM.MinRSABits = o.MinRSABits
	if o.MaxVoidLookups != nil {
		if e.SPF.MaxVoidLookups = *o.MaxVoidLookups; e.SPF.MaxVoidLookups == 0 {
			e.SPF.MaxVoidLookups = -1 // zero is the default there
		}
	}
	if e.DMARC.Method, err = parseMethod(o.OrgDomain); err != nil {
		return nil, err
	}
	e.Handling.HonorReject = o.HonorReject
	if o.BIMI {
		if e.BIMI, err = q.bimiVerifier(); err != nil {
			return nil, err
		}
	}
	e.ARC.MinRSABits = o.MinRSABits
	e.TrustedSealers = o.TrustedSealers
	return e, e.Validate()
}

func parseMethod(s string) (dmarc.Method, error) {
	switch s {
	case "", "treewalk":
		return dmarc.TreeWalk, nil
	case "psl":
		return dmarc.PublicSuffixList, nil
	}
	return dmarc.TreeWalk, fmt.Errorf("options.org_domain: %q is neither treewalk nor psl", s)
}

// clock is the request's time for verifiers that are used alone; time has been
// called before and found it good.
func (q *request) clock() time.Time {
	t, _ := q.time()
	return t
}

// parsed reads the request's message as it is; batch never changes a byte.
func (q *request) parsed() (*message.Message, error) {
	if q.Message == nil {
		return nil, errNoMessage
	}
	return message.Parse(q.Message)
}

func opEvaluate(ctx context.Context, q *request) (any, error) {
	return evaluate(ctx, q)
}

func evaluate(ctx context.Context, q *request) (*mailauth.Result, error) {
	e, err := q.evaluator()
	if err != nil {
		return nil, err
	}
	s, err := q.session()
	if err != nil {
		return nil, err
	}
	if q.Message == nil {
		return nil, errNoMessage
	}
	return e.Evaluate(ctx, &mailauth.Message{Session: s, Data: bytes.NewReader(q.Message)})
}
