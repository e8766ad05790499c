"""The grammar of RFC 8601, section 2.2 with erratum 6026, read letter by letter: the
third opinion where two parsers differ. It is slow, and takes one way through the
text where the grammar has one."""

import re

WSP = " \t"


class No(Exception):
    pass


class Reader:
    def __init__(self, s):
        self.s, self.i = s, 0

    def peek(self):
        return self.s[self.i:self.i + 1]

    def want(self, c):
        if self.peek() != c:
            raise No(f"{c!r} wanted at {self.i}")
        self.i += 1

    def match(self, pattern):
        m = re.compile(pattern).match(self.s, self.i)
        if not m:
            raise No(f"{pattern} wanted at {self.i}")
        self.i = m.end()
        return m.group()

    def attempt(self, *ways):
        """The first of several ways that leads on."""
        for way in ways:
            start = self.i
            try:
                return way()
            except No as e:
                self.i, last = start, e
        raise last

    def fws(self):  # RFC 5322, section 3.2.2; the obsolete form has more than one fold
        m = re.compile(r"(?:(?:[ \t]*\r\n)?[ \t]+)+").match(self.s, self.i)
        if m:
            self.i = m.end()
        return bool(m)

    def comment(self):
        self.want("(")
        while True:
            self.fws()
            c = self.peek()
            if c == ")":
                self.i += 1
                return
            if c == "(":
                self.comment()
            elif c == "\\":
                self.pair()
            elif c and (33 <= ord(c) <= 126 or ord(c) > 127):
                self.i += 1
            else:
                raise No(f"comment at {self.i}")

    def pair(self):
        self.want("\\")
        c = self.peek()
        if not c or not (32 <= ord(c) <= 126 or c == "\t" or ord(c) > 127):
            raise No(f"quoted-pair at {self.i}")
        self.i += 1
        return c

    def cfws(self):
        start = self.i
        while self.fws() or self.peek() == "(":
            if self.peek() == "(":
                self.comment()
        return self.i > start

    def quoted(self):
        self.want('"')
        out = ""
        while True:
            start = self.i
            if self.fws():
                out += self.s[start:self.i].replace("\r\n", "")
            c = self.peek()
            if c == '"':
                self.i += 1
                return out
            if c == "\\":
                out += self.pair()
            elif c and (33 <= ord(c) <= 126 or ord(c) > 127):
                out += c
                self.i += 1
            else:
                raise No(f"quoted-string at {self.i}")

    def token(self):
        return self.match(r"""[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+""")

    def value(self):
        return self.quoted() if self.peek() == '"' else self.token()

    def keyword(self):
        return self.match(r"[A-Za-z0-9-]*[A-Za-z0-9]")

    def domain(self):
        label = r"[A-Za-z0-9\u0080-\U0010ffff](?:[A-Za-z0-9\u0080-\U0010ffff-]*[A-Za-z0-9\u0080-\U0010ffff])?"
        return self.match(rf"{label}(?:\.{label})+")

    def word(self):
        self.cfws()
        w = '"' + self.quoted() + '"' if self.peek() == '"' else self.match(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+")
        self.cfws()
        return w

    def address(self):
        local = ""
        if self.peek() != "@":
            local = self.word()
            while self.peek() == ".":
                self.i += 1
                local += "." + self.word()
        self.want("@")
        return local + "@" + self.domain()

    def pvalue(self):
        """What stands behind it must be the end of a pvalue."""
        def whole(f):
            def g():
                v = f()
                if self.peek() not in ("", ";", " ", "\t", "\r", "("):
                    raise No(f"more of the value at {self.i}")
                return v
            return g
        return self.attempt(whole(self.address), whole(self.value), whole(self.domain))

    def number(self):
        n = int(self.match(r"[0-9]+"))
        if n != 1:
            raise No("version")

    def property(self):
        kind = self.keyword()
        self.cfws()
        self.want(".")
        self.cfws()
        name = self.keyword()
        self.cfws()
        self.want("=")
        self.cfws()
        return kind.lower() + "." + name.lower(), self.pvalue()

    def resinfo(self):
        self.want(";")
        self.cfws()
        method = self.keyword()
        version = 1
        self.cfws()
        if self.peek() == "/":
            self.i += 1
            self.cfws()
            if (version := int(self.match(r"[0-9]+"))) == 0:
                raise No("there is no version 0")
            self.cfws()
        self.want("=")
        self.cfws()
        word = self.keyword()
        props = []
        first = True
        while True:
            start = self.i
            if not self.cfws() or self.peek() in (";", ""):
                self.i = start
                return method.lower(), word.lower(), tuple(props)
            if first and re.match(r"reason(?=[ \t\r(=])", self.s[self.i:], re.I):
                self.i += 6
                self.cfws()
                self.want("=")
                self.cfws()
                self.value()
            else:
                props.append(self.property())
            first = False

    def payload(self):
        self.cfws()
        ident = self.value()
        start = self.i
        if self.cfws() and self.peek().isdigit():
            self.number()
        else:
            self.i = start
        results = []
        self.cfws()
        if re.compile(r";").match(self.s, self.i):
            start = self.i
            try:
                self.i += 1
                self.cfws()
                self.match(r"(?i:none)")
                self.cfws()
                if self.i == len(self.s):
                    return ident.lower(), ()
            except No:
                pass
            self.i = start
        while self.peek() == ";":
            results.append(self.resinfo())
            self.cfws()
        if not results or self.i != len(self.s):
            raise No(f"not the end at {self.i}")
        return ident.lower(), tuple(results)


def read(text):
    """What the field says, or None."""
    try:
        return Reader(text.removesuffix("\r\n")).payload()
    except No:
        return None
