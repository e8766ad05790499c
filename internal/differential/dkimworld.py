"""Signed messages, mostly in order, each with a few oddities by name.

The signer is one of its own, after the letter of RFC 6376, so that it shares no
mistake with anybody. What an oddity does before signing is signed with it; what
it does afterwards breaks the signature or does not.
"""

import base64
import hashlib
import random
import re
import struct

import nacl.signing


def prime(r, bits, e):
    while True:
        p = r.getrandbits(bits) | 3 << bits - 2 | 1
        if all(p % q for q in (3, 5, 7, 11, 13, 17)) and pow(2, p - 1, p) == 1 and pow(3, p - 1, p) == 1 and (p - 1) % e:
            return p


def der(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    head = bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else b"\x82" + struct.pack(">H", n)
    return bytes([tag]) + head + body


def integer(n):
    return der(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


class RSA:
    def __init__(self, bits):
        r, self.e = random.Random(bits), 65537
        p, q = prime(r, bits // 2, self.e), prime(r, bits // 2, self.e)
        self.n, self.d = p * q, pow(self.e, -1, (p - 1) * (q - 1))
        self.pkcs1 = der(0x30, integer(self.n), integer(self.e))
        self.public = der(0x30, bytes.fromhex("300d06092a864886f70d0101010500"), der(3, b"\0" + self.pkcs1))

    def sign(self, digest):
        size = (self.n.bit_length() + 7) // 8
        t = bytes.fromhex("3031300d060960864801650304020105000420") + digest
        block = b"\0\1" + b"\xff" * (size - len(t) - 3) + b"\0" + t
        return pow(int.from_bytes(block, "big"), self.d, self.n).to_bytes(size, "big")


class Ed25519:
    def __init__(self):
        self.key = nacl.signing.SigningKey(b"a seed that everybody may know. ")
        self.public = bytes(self.key.verify_key)

    def sign(self, digest):
        return self.key.sign(digest).signature


def b64(octets):
    return base64.b64encode(octets)


def canonical_field(field, relaxed):
    if not relaxed:
        return field
    name, _, value = field.partition(b":")
    value = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.rstrip(b" \t").lower() + b":" + value + b"\r\n"


def canonical_body(body, relaxed):
    if relaxed:
        body = b"\r\n".join(re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n"))
    while body.endswith(b"\r\n"):
        body = body[:-2]
    return b"" if relaxed and not body else body + b"\r\n"


def name_of(field):
    return field.partition(b":")[0].rstrip(b" \t").lower()


def select(fields, names):
    left, chosen = list(fields), []
    for n in names:
        for i in reversed(range(len(left))):
            if name_of(left[i]) == n.strip(b" \t\r\n").lower():
                chosen.append(left.pop(i))
                break
    return chosen


WORDS = [b"a", b"lunch", b"Re:", b"=?utf-8?q?x?=", b"--", b"(c)", b"\"q\"", b"<x@y.example>", b";", b"b=QUJD", b"x" * 70]


class Case:
    """One message: fields, body, tags and record, and the names of what is odd."""

    def __init__(self, r, keys):
        self.r, self.keys, self.odd = r, keys, []
        self.fields = [b"From: CEO <ceo@bank.example>\r\n", b"To: u@victim.example\r\n", b"Subject: Statement\r\n",
                       b"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n", b"Message-ID: <1@bank.example>\r\n"]
        for _ in range(r.randrange(4)):
            self.fields.insert(r.randrange(len(self.fields) + 1), r.choice([b"X-A", b"X-B", b"Cc", b"Received", b"Subject"]) + b": " + self.words(r.randrange(4)) + b"\r\n")
        self.body = b"".join(self.words(r.randrange(6)) + b"\r\n" for _ in range(r.randrange(6)))
        self.kind = r.choice(["rsa", "rsa", "rsa", "ed25519"])
        self.c = r.choice([b"relaxed/relaxed", b"relaxed/relaxed", b"simple/simple", b"relaxed/simple", b"simple/relaxed", b"relaxed", b"simple", None])
        self.h = r.sample([b"from", b"to", b"subject", b"date", b"message-id", b"x-a", b"received"], r.randrange(1, 7))
        if b"from" not in self.h:
            self.h.insert(r.randrange(len(self.h) + 1), b"from")
        self.tags = {b"v": b"1", b"a": self.kind.encode() + b"-sha256", b"d": b"bank.example", b"s": b"sel"}
        self.order = None
        self.sep, self.end = b"; ", b""
        self.bh, self.b = (lambda x: x), (lambda x: x)
        self.joint = b":"
        self.name = b"DKIM-Signature: "
        self.length = None
        self.record = [b"v=DKIM1", b"k=" + self.kind.encode(), b"p=" + b64(keys[self.kind].public)]
        self.records = None
        self.pieces = False  # the record in strings of 100 octets
        self.text = None  # the message, once signed

    def words(self, n):
        return self.r.choice([b" ", b" ", b"  ", b"\t"]).join(self.r.choice(WORDS) for _ in range(n))

    def sign(self):
        head, _, body = (self.c or b"simple").partition(b"/")
        relaxed_head, relaxed_body = head == b"relaxed", body == b"relaxed"
        content = canonical_body(self.body, relaxed_body)
        if self.length == "all":
            self.tags[b"l"] = b"%d" % len(content)
        elif self.length == "half":
            self.tags[b"l"] = b"%d" % (len(content) // 2)
            content = content[:len(content) // 2]
        if self.c is not None:
            self.tags[b"c"] = self.c
        self.tags.setdefault(b"h", self.joint.join(self.h))
        self.tags.setdefault(b"bh", self.bh(b64(hashlib.sha256(content).digest())))
        items = list(self.tags.items()) + [(b"b", b"")]
        if self.order:
            items = self.order(items)
        value = self.sep.join(n if v is None else n + b"=" + v for n, v in items) + self.end
        at = re.search(rb"(?:^|[;\s])b[ \t\r\n]*=", value)
        data = b"".join(canonical_field(f, relaxed_head) for f in select(self.fields, self.h))
        # With the value of b= goes the white space around it (section 3.7).
        bare = value[:at.end()] + value[at.end():].lstrip(b" \t\r\n") if at else value
        data += canonical_field(self.name + bare + b"\r\n", relaxed_head)[:-2]
        field = self.name + value + b"\r\n"
        key = self.keys[self.kind]
        signature = self.b(b64(key.sign(hashlib.sha256(data).digest())))
        if at:
            end = len(self.name) + at.end()
            field = field[:end] + signature + field[end:]
        self.fields.insert(0, field)
        self.build()

    def build(self):
        self.text = b"".join(self.fields) + b"\r\n" + self.body


# What an oddity may touch: a name, and what to do. Those of BEFORE are signed.
def _tag(name, *values):
    def f(c):
        c.tags[name] = c.r.choice(values)
    return f


def _set(attribute, value):
    return lambda c: setattr(c, attribute, value)


def _body(*bodies):
    return lambda c: setattr(c, "body", c.r.choice(bodies))


def _field(*fields):
    def f(c):
        field = c.r.choice(fields)
        c.fields.insert(c.r.randrange(len(c.fields) + 1), field)
        if c.r.random() < .7:
            c.h.append(name_of(field))
    return f


def _record(*parts):
    return lambda c: c.record.append(c.r.choice(parts))


def _names(*names):
    return lambda c: c.h.append(c.r.choice(names))


def _any_order(c):
    def order(items):
        c.r.shuffle(items)
        return items
    c.order = order


def _records(c, extra):
    record = b"; ".join(c.record)
    c.records = [record]
    c.records.insert(c.r.randrange(2), extra)


def _fold(n):
    return lambda x: b"\r\n ".join(x[i:i + n] for i in range(0, len(x), n))


def _p(f):
    def g(c):
        c.record[-1] = f(c, c.record[-1])
    return g


BEFORE = {
    "field folded": _field(b"X-A: a\r\n b\r\n", b"X-A:\r\n a\r\n", b"X-A: a\r\n\tb \r\n  c\r\n", b"Subject: a \r\n  b\r\n"),
    "field of white space": _field(b"X-A:\r\n", b"X-A: \r\n", b"X-A:\t \r\n", b"Subject:   \r\n"),
    "fold of white space": _field(b"X-A: a\r\n \r\n", b"X-A: a\r\n \t\r\n b\r\n", b"X-A:\r\n \r\n"),
    "field trailing space": _field(b"X-A: a \t\r\n", b"X-A: a  b\t c  \r\n", b"Subject: a  \r\n"),
    "field space before colon": _field(b"X-A : a\r\n", b"X-A\t: a\r\n", b"Subject  :b\r\n"),
    "field no space": _field(b"X-A:a\r\n", b"subject:a\r\n"),
    "field octets": _field(b"X-A: \xff\xfe\r\n", b"X-A: caf\xc3\xa9\r\n", b"Subject: \xc2\xa0\r\n"),
    "field controls": _field(b"X-A: a\x0bb\r\n", b"X-A: \x0c\r\n", b"X-A: a\x00b\r\n", b"X-A: \x85\r\n"),
    "field name odd": _field(b"X_A!: a\r\n", b"X.A: a\r\n", b"X-(A): b\r\n", b"1: a\r\n", b"X-a*: b\r\n"),
    "field bare CR": _field(b"X-A: a\rb\r\n", b"X-A: a\r\r\n"),
    "field bare LF": _field(b"X-A: a\nX-B: b\r\n", b"X-A: a\n b\r\n"),
    "field long": _field(b"X-A: " + b"x" * 1200 + b"\r\n", b"X-A: " + b"x " * 900 + b"\r\n"),
    "body empty": _body(b"", b"\r\n", b"\r\n\r\n\r\n"),
    "body of white space": _body(b" \r\n", b"\t\r\n \r\n", b"a\r\n \r\n", b" \r\n\r\n", b"a \t \r\n\tb\r\n"),
    "body without last CRLF": _body(b"a", b"a\r\nb", b"a \r\nb ", b" ", b"a\r\n "),
    "body bare CR": _body(b"a\rb\r\n", b"a\r\r\n", b"a\r", b"\r\r\n\r\n", b"a \r \r\n"),
    "body bare LF": _body(b"a\nb\r\n", b"a\n", b"a \n \r\n", b"\n\r\n", b"a\n\r\n\r\n"),
    "body octets": _body(b"\xff\x00\r\n", b"caf\xc3\xa9 \r\n", b"a\x0b\x0c \r\n", b"\xa0\r\n", b"\x1a\r\n"),
    "body long": _body(b"x" * 70000 + b"\r\n", b"x y\t " * 5000 + b"\r\n", b"\r\n" * 3000, b" \r\n" * 3000 + b"a\r\n"),
    "body dots": _body(b".\r\n", b"..a\r\n.\r\n.", b"From x\r\n"),
    "c= upper case": _set("c", b"Relaxed/Relaxed"),
    "c= unknown": lambda c: setattr(c, "c", c.r.choice([b"foo/bar", b"relaxed/foo", b"relaxed/", b"/relaxed", b"simple/simple/simple", b"simple /simple"])),
    "tags in any order": _any_order,
    "tags without space": _set("sep", b";"),
    "tags spaced": _set("sep", b" \t;\r\n\t "),
    "tags end in semicolon": lambda c: setattr(c, "end", c.r.choice([b";", b"; ", b";\r\n\t", b" "])),
    "tag empty": lambda c: setattr(c, "sep", c.r.choice([b";;", b"; ;"])),
    "tag unknown": _tag(b"zz", b"1", b"", b"a=b", b"b=QUJD"),
    "tag named like b": lambda c: c.tags.update({c.r.choice([b"xb", b"b2", b"ab", b"bb"]): b"QUJD"}),
    "tag name odd": lambda c: c.tags.update({c.r.choice([b"_a", b"1a", b"a-b", b"a.b", b"A_1", b"\xc3\xa9"]): b"1"}),
    "tag without =": lambda c: c.tags.update({b"zz": None}),
    "tag of capitals": lambda c: c.tags.update({c.r.choice([b"V", b"B", b"D", b"BH"]): b"1"}),
    "v= odd": _tag(b"v", b"2", b"1.0", b"", b"01", b"1 "),
    "a= odd": _tag(b"a", b"RSA-SHA256", b"rsa", b"rsa-sha512", b"", b"rsa-SHA256", b"ed25519-sha1", b"rsa - sha256", b"rsa-\r\n sha256"),
    "d= capitals": _tag(b"d", b"Bank.Example", b"BANK.EXAMPLE"),
    "d= odd": _tag(b"d", b"bank.example.", b"bank..example", b"", b"bank .example", b"bank.\r\n example", b"_x.example", b"-a.example", b"a@bank.example"),
    "d= suffix": _tag(b"d", b"example", b"co.uk"),
    "s= capitals": _tag(b"s", b"SEL"),
    "s= odd": _tag(b"s", b"", b"sel.", b".sel", b"s el", b"s\r\n el", b"a b", b"se\xc3\xa9l"),
    "s= underscore": _tag(b"s", b"s_el", b"_sel", b"sel.a_b"),
    "i= below": _tag(b"i", b"@bank.example", b"a@bank.example", b"a@x.bank.example", b"@x.Bank.Example", b"a=2Bb@bank.example"),
    "i= elsewhere": _tag(b"i", b"@evil.example", b"a@notbank.example", b"@example", b"a@bank.example.evil.example"),
    "i= odd": _tag(b"i", b"bank.example", b"", b"a b@bank.example", b"a@b@bank.example", b"@bank.example.", b"<a@bank.example>", b"a@ bank.example", b"\"a b\"@bank.example"),
    "l= all": _set("length", "all"),
    "l= half": _set("length", "half"),
    "l= odd": _tag(b"l", b"", b"-1", b"0x1", b"1 0", b"9" * 80, b"99999999", b"+1", b"1.0"),
    "t= and x=": lambda c: c.tags.update({b"t": b"1700000000", b"x": b"4000000000"}),
    "t= future": _tag(b"t", b"4000000000"),
    "t= odd": _tag(b"t", b"", b"-1", b"now", b"1.5", b"1 7", b"0" * 13, b"+1"),
    "x= past": _tag(b"x", b"1700000000", b"0", b"1"),
    "x= odd": _tag(b"x", b"", b"-1", b"never", b"9" * 13, b"9" * 25, b"4000000000 "),
    "x= before t=": lambda c: c.tags.update({b"t": b"1700000000", b"x": b"1600000000"}),
    "q= dns/txt": _tag(b"q", b"dns/txt", b"dns/txt:foo", b"foo/bar : dns/txt"),
    "q= odd": _tag(b"q", b"", b"foo", b"dns", b"DNS/TXT", b"dns/txt/x", b"dns/foo", b"http/txt"),
    "z=": _tag(b"z", b"From:a|To:b", b"From:=20a", b"Subject:b=3DQUJD"),
    "z= odd": _tag(b"z", b"From", b"", b"|", b"From:a;b"),
    "h= spaced": lambda c: setattr(c, "joint", c.r.choice([b" : ", b":\r\n\t", b" :", b":  "])),
    "h= capitals": lambda c: setattr(c, "h", [n.title() for n in c.h]),
    "h= repeated": lambda c: c.h.extend(c.r.choice([[b"from"], [b"subject", b"subject"], [b"from", b"From"], [b"to", b"x-none"]])),
    "h= absent": _names(b"x-none", b"bcc", b"resent-from"),
    "h= own field": _names(b"dkim-signature"),
    "h= other list": _tag(b"h", b"from:", b":from", b"from::to", b"", b"from to", b"from,to", b"fr om", b"from:\xc3\xa9"),
    "h= without from": lambda c: setattr(c, "h", [n for n in c.h if n != b"from"] or [b"to"]),
    "b= folded": lambda c: setattr(c, "b", _fold(c.r.choice([20, 64, 70]))),
    "b= spaced": lambda c: setattr(c, "b", c.r.choice([lambda x: b" " + x, lambda x: x + b" ", lambda x: x[:9] + b" \t" + x[9:], lambda x: b"\r\n\t" + x])),
    "b= odd": lambda c: setattr(c, "b", c.r.choice([lambda x: b"", lambda x: x.rstrip(b"="), lambda x: x + b"=", lambda x: x[:9] + b"!" + x[9:], lambda x: x.replace(b"+", b"-"), lambda x: x[:40], lambda x: x + b"AAAA"])),
    "bh= spaced": lambda c: setattr(c, "bh", c.r.choice([lambda x: b" " + x, lambda x: x + b" ", lambda x: x[:9] + b" \t" + x[9:], _fold(20)])),
    "bh= odd": lambda c: setattr(c, "bh", c.r.choice([lambda x: b"", lambda x: x.rstrip(b"="), lambda x: x + b"=", lambda x: x[:9] + b"!" + x[9:], lambda x: x[:-4], lambda x: x + b"AAAA"])),
    "signature field spaced": lambda c: setattr(c, "name", c.r.choice([b"DKIM-Signature:", b"DKIM-Signature:  ", b"DKIM-Signature:\t", b"DKIM-Signature:\r\n ", b"DKIM-Signature: \r\n\t"])),
    "signature field of other case": lambda c: setattr(c, "name", c.r.choice([b"dkim-signature: ", b"DKIM-SIGNATURE: "])),
    "signature field space before colon": lambda c: setattr(c, "name", c.r.choice([b"DKIM-Signature : ", b"DKIM-Signature\t: "])),
    "key in pieces": lambda c: setattr(c, "pieces", True),
    "key without v=": lambda c: c.record.pop(0),
    "key without k=": lambda c: c.record.pop(-2),
    "key v= odd": lambda c: c.record.__setitem__(0, c.r.choice([b"v=DKIM2", b"v=dkim1", b"v=", b"V=DKIM1", b"v=DKIM10"])),
    "key v= not first": lambda c: c.record.append(c.record.pop(0)),
    "key k= odd": lambda c: c.record.__setitem__(1, c.r.choice([b"k=RSA", b"k=dsa", b"k=", b"k=rsa ", b"k = " + c.kind.encode(), b"K=rsa"])),
    "key h=": _record(b"h=sha256", b"h=sha1:sha256", b"h=sha256 : foo"),
    "key h= other": _record(b"h=sha1", b"h=SHA256", b"h=", b"h=foo", b"h=:sha256"),
    "key s=": _record(b"s=email", b"s=*", b"s=email:foo", b"s=foo : *"),
    "key s= other": _record(b"s=tlsrpt", b"s=", b"s=EMAIL", b"s=foo"),
    "key t=y": _record(b"t=y", b"t=y:s", b"t=s : y"),
    "key t=s": _record(b"t=s", b"t=s:foo"),
    "key t= odd": _record(b"t=", b"t=Y", b"t=foo", b"t=:s"),
    "key n=": _record(b"n=a note", b"n=", b"n=a=20b"),
    "key g=": _record(b"g=*", b"g=", b"g=ceo", b"g=other"),
    "key tag unknown": _record(b"zz=1", b"x=", b"a=b=c"),
    "key tag twice": _record(b"v=DKIM1", b"t=s; t=s", b"zz=1; zz=2"),
    "key p= twice": lambda c: c.record.append(c.record[-1]),
    "key tag odd": _record(b"foo", b"=", b"1=2", b"_=a", b"", b" "),
    "key tag octets": _record(b"n=\xc3\xa9", b"n=a\x01b"),
    "key semicolon at end": lambda c: c.record.append(c.r.choice([b"", b" ", b"\t"])),
    "key p= spaced": _p(lambda c, p: p[:20] + c.r.choice([b" ", b"\t", b"  "]) + p[20:] + c.r.choice([b"", b" "])),
    "key p= odd": _p(lambda c, p: c.r.choice([p.rstrip(b"="), p + b"=", p + b"AAAA", p[:20] + b"!" + p[20:], p[:-8], b"p=", b"p=AAAA", b"p", p[:20] + b"\n" + p[20:]])),
    "key PKCS #1": lambda c: c.record.__setitem__(-1, b"p=" + b64(c.keys[c.kind].pkcs1)) if c.kind == "rsa" else None,
    "key wrapped": lambda c: c.record.__setitem__(-1, b"p=" + b64(der(0x30, bytes.fromhex("300506032b6570"), der(3, b"\0" + c.keys[c.kind].public)))) if c.kind == "ed25519" else None,
    "key of other type": lambda c: c.record.__setitem__(-1, b"p=" + b64(c.keys["rsa" if c.kind == "ed25519" else "ed25519"].public)),
    "key capitals": lambda c: setattr(c, "record", [x.title() if x[:1] in b"vk" else x for x in c.record]),
    "key missing": lambda c: setattr(c, "records", []),
    "key beside SPF": lambda c: _records(c, b"v=spf1 -all"),
    "key beside text": lambda c: _records(c, c.r.choice([b"hello", b"", b"google-site-verification=abc"])),
    "key twice": lambda c: _records(c, b"; ".join(c.record)),
    "key beside revoked": lambda c: _records(c, b"v=DKIM1; p="),
}


def _signature(c):
    return next((i for i, f in enumerate(c.fields) if name_of(f) == b"dkim-signature"), 0)


def _flip(text, r, what=None):
    at = r.randrange(len(text))
    return text[:at] + bytes([what if what is not None else text[at] ^ 1 << r.randrange(7)]) + text[at + 1:]


def _refold(field, r):
    at = [m.start() for m in re.finditer(rb" ", field)]
    if not at:
        return field
    i = r.choice(at)
    return field[:i] + b"\r\n" + field[i:]


def _change_field(f):
    def g(c):
        if c.fields:
            i = c.r.randrange(len(c.fields))
            c.fields[i] = f(c.fields[i], c.r)
    return g


def _change_signature(f):
    def g(c):
        i = _signature(c)
        c.fields[i] = f(c.fields[i], c.r)
    return g


def _change_body(f):
    def g(c):
        c.body = f(c.body, c.r)
    return g


# These change the message on its way.
AFTER = {
    "then a bit of the header": _change_field(_flip),
    "then a bit of the signature field": _change_signature(_flip),
    "then a bit of the body": _change_body(lambda b, r: _flip(b or b"a", r)),
    "then an octet of the signature field": _change_signature(lambda f, r: (lambda at: f[:at] + r.choice([b" ", b";", b"=", b"\t", b"A", b":", b"\r\n "]) + f[at:])(r.randrange(16, len(f) - 2))),
    "then an octet less in the signature field": _change_signature(lambda f, r: (lambda at: f[:at] + f[at + 1:])(r.randrange(16, len(f) - 2))),
    "then a field refolded": _change_field(_refold),
    "then the signature field refolded": _change_signature(_refold),
    "then a field name in capitals": _change_field(lambda f, r: f.partition(b":")[0].upper() + b":" + f.partition(b":")[2]),
    "then white space in a field": _change_field(lambda f, r: f.replace(b" ", r.choice([b"  ", b"\t", b" \t "]))),
    "then white space at the end of a field": _change_field(lambda f, r: f[:-2] + r.choice([b" ", b"\t"]) + b"\r\n"),
    "then white space in the body": _change_body(lambda b, r: b.replace(b" ", r.choice([b"  ", b"\t"]))),
    "then white space at the end of lines": _change_body(lambda b, r: b.replace(b"\r\n", r.choice([b" \r\n", b"\t \r\n"]))),
    "then empty lines": _change_body(lambda b, r: b + b"\r\n" * r.randrange(1, 4)),
    "then more body": _change_body(lambda b, r: b + r.choice([b"more\r\n", b" \r\n", b"x", b"\r\nx\r\n"])),
    "then the last CRLF off": _change_body(lambda b, r: b[:-2] if b.endswith(b"\r\n") else b),
    "then a field on top": lambda c: c.fields.insert(0, c.r.choice([b"Subject: other\r\n", b"From: <x@evil.example>\r\n", b"X-A: new\r\n", b"Received: by x\r\n"])),
    "then a field below": lambda c: c.fields.append(c.r.choice([b"Subject: other\r\n", b"From: <x@evil.example>\r\n", b"X-A: new\r\n", b"X-None: a\r\n"])),
    "then fields moved": lambda c: c.r.shuffle(c.fields),
    "then a field off": lambda c: c.fields.pop(c.r.randrange(len(c.fields))),
    "then CR off": lambda c: setattr(c, "body", c.body.replace(b"\r\n", b"\n", 1)),
}


def case(r, keys):
    """A message: in one of seven cases nothing is odd, else up to three things."""
    c = Case(r, keys)
    n = r.choice([0, 1, 1, 1, 1, 2, 3])
    after = []
    for _ in range(n):
        if r.random() < .75:
            name = r.choice(sorted(BEFORE))
            BEFORE[name](c)
        else:
            name = r.choice(sorted(AFTER))
            after.append(name)
        c.odd.append(name)
    c.sign()
    for name in after:
        AFTER[name](c)
    c.build()
    return c


def request(number, r, keys):
    c = case(r, keys)
    records = c.records if c.records is not None else [b"; ".join(c.record)]
    zone = {}
    for name in ("sel._domainkey.bank.example", "s_el._domainkey.bank.example", "_sel._domainkey.bank.example", "sel.a_b._domainkey.bank.example",
                 "sel._domainkey.example", "sel._domainkey.co.uk"):
        chunks = [[x[i:i + 100] for i in range(0, len(x), 100)] if c.pieces else [x[i:i + 255] for i in range(0, len(x), 255)] or [b""] for x in records]
        if chunks:
            zone[name] = {"TXT": [[s.decode() for s in x] for x in chunks]}
    return {"id": str(number), "op": "dkim", "dns": zone, "message_b64": base64.b64encode(c.text).decode(), "odd": c.odd}


def keys():
    return {"rsa": RSA(1024), "ed25519": Ed25519()}
