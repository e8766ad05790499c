"""Has four parsers read the same Authentication-Results fields, made by the
grammar of RFC 8601, section 2.2 and then often spoilt, and looks at where they
read something else, or where one refuses what another takes.

What is compared is what a reader decides by: the authserv-id and for each result
the method, the word and the properties. The arbiter is rfc8601.py, a parser that
follows the grammar and shares nothing with ours: where it does not say what we say,
the run ends with status 1. Where another parser differs, it differs from both.
"""

import collections
import json
import random
import re
import sys

import rfc8601
from peers import run

PY, PERL = "authres", "Mail::AuthenticationResults"

METHODS = ["spf", "dkim", "dmarc", "arc", "auth", "iprev", "x-foo", "DKIM"]
WORDS = ["pass", "fail", "softfail", "none", "neutral", "permerror", "temperror", "policy", "x-odd", "PASS"]
PROPERTIES = ["smtp.mailfrom", "smtp.helo", "header.d", "header.i", "header.from", "header.b", "policy.iprev", "body.x", "smtp.remote-ip", "Header.D"]
VALUES = ["bank.example", "ceo@bank.example", "@bank.example", "abc", "192.0.2.1", "a.b-c", "x_y", "user+tag@mail.bank.example", "sel1"]


class Field:
    """One field's value out of a seeded source, and the names of how it was spoilt."""

    def __init__(self, r):
        self.r, self.odd = r, set()

    def one(self, *of):
        return self.r.choice(of)

    def often(self, p):
        return self.r.random() < p

    def quoted(self):
        return '"' + "".join(self.one("a", " ", ";", "=", ".", "@", "(", ")", "\\\"", "\\\\", "\\a", "x.example", "pass", "'") for _ in range(self.r.randrange(5))) + '"'

    def comment(self, depth=0):
        inner = "".join(self.one("a", " ", ";", "=", "\"", "x.example", "dkim=pass", "\\(", "\\)", "\\\\", "@") for _ in range(self.r.randrange(4)))
        if depth < 3 and self.often(.2):
            inner += self.comment(depth + 1)
        return "(" + inner + ")"

    def cfws(self, needed=False):
        """White space, and now and then a comment."""
        if self.often(.85):
            return " " if needed or self.often(.1) else ""
        kind = self.one("  ", "\t", "\r\n ", " () ", "()", " \r\n\t() ")
        return kind.replace("()", self.comment()) if "(" in kind else kind

    def value(self):
        if self.often(.15):
            return self.quoted()
        return self.one(*VALUES)

    def property(self):
        kind, _, name = self.one(*PROPERTIES).partition(".")
        dot = self.cfws() + "." + self.cfws() if self.often(.2) else "."
        return kind + dot + name + self.cfws() + "=" + self.cfws() + self.value()

    def result(self):
        method = self.one(*METHODS)
        if self.often(.06):
            method += self.cfws() + "/" + self.cfws() + self.one("1", "1", "2", "01", "0")
        text = method + self.cfws() + "=" + self.cfws() + self.one(*WORDS)
        if self.often(.12):
            text += self.cfws(True) + "reason" + self.cfws() + "=" + self.cfws() + self.one("because", self.quoted(), "a.b")
        for _ in range(self.one(0, 1, 1, 2, 3)):
            text += self.cfws(True) + self.property()
        return text

    def field(self):
        ident = self.one("mx.victim.example", "mx", "localhost", "MX.Victim.Example", "a-b_c")
        if self.often(.06):
            ident = self.quoted()
        text = self.cfws() + ident
        if self.often(.08):
            text += " " + self.one("1", "1", "2", "01", "x")
        if self.often(.07):
            return text + self.cfws() + ";" + self.cfws() + "none" + self.cfws()
        for _ in range(self.one(1, 1, 2, 3)):
            text += self.cfws() + ";" + self.cfws() + self.result()
        text += self.cfws()
        # Spoil it.
        for _ in range(self.one(0, 0, 1, 1, 2)):
            at = self.r.randrange(len(text))
            kind = self.one("an octet more", "an octet less", "another octet", "a piece twice", "cut")
            self.odd.add(kind)
            c = self.one(*';=/."()\\@ \t\'a1-,:<>[]_+&%é\x00\x07\x0b')
            if kind == "an octet more":
                text = text[:at] + c + text[at:]
            elif kind == "an octet less":
                text = text[:at] + text[at + 1:]
            elif kind == "another octet":
                text = text[:at] + c + text[at + 1:]
            elif kind == "a piece twice":
                text = text[:at] + text[max(0, at - 9):]
            elif self.often(.3):
                text = text[:max(1, at)]
        return text


def lower(s):
    return (s or "").lower()


def normal(answer):
    """What a reader sees: None if nothing."""
    if answer.get("error"):
        return None
    results = []
    for m, w, _, props in answer["results"]:
        results.append((lower(m), lower(w), tuple((lower(n), v or "") for n, v in props)))
    return lower(answer["id"]), tuple(results)


def ours(answer):
    if answer.get("error"):
        return answer
    r = answer["result"]
    return {"id": r["authserv_id"], "results": [
        [x["method"], x["result"], x.get("reason"), [[p["type"] + "." + p["name"], p["value"]] for p in x.get("props") or []]] for x in r.get("results") or []]}


# Where we read something else than the grammar, on purpose.
EXPLAINED = [
    ("5: an authserv-id that is empty names nobody", lambda value, mine, arbiter, answer: mine is None and arbiter and arbiter[0] == "" and "authserv-id" in answer["error"]),
    ("RFC 6531, section 3.3: U-labels are those of a name that IDNA has, which does not end in a number",
     lambda value, mine, arbiter, answer: mine is None and arbiter and re.search(r"[^\x00-\x7f][^ ;()]*\.[0-9]+\s*(?=[;(\s]|$)", value)),
]


def kind(mine, theirs):
    """In which way another parser differs from the grammar."""
    if mine is None:
        return "takes what the grammar has not"
    if theirs is None:
        return "refuses what the grammar has"
    if mine[0] != theirs[0]:
        return "reads another authserv-id"
    mine, theirs = mine[1], theirs[1]
    if len(mine) != len(theirs):
        return "reads other results"
    for m, t in zip(mine, theirs):
        if m[0] != t[0]:
            return "reads another method"
        if m[1] != t[1]:
            return "reads another word as the result"
        if m[2] != t[2]:
            return "reads other properties"
    return "differs"


def main():
    command, seed, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    r = random.Random(seed)
    requests = []
    for i in range(number):
        f = Field(r)
        requests.append({"id": str(i), "op": "authres", "value": f.field(), "odd": sorted(f.odd)})
    us, *peers = run(requests, [command, "batch"], ["/usr/bin/python3", "-W", "ignore", "peers/authrespy.py"], ["perl", "peers/mailar.pl"])
    count, left = collections.Counter(), 0
    taken = sum(1 for a in us if not a.get("error"))
    for q, a, *theirs in zip(requests, us, *peers):
        mine = normal(ours(a))
        arbiter = rfc8601.read(q["value"])
        if mine != arbiter:
            why = next((why for why, holds in EXPLAINED if holds(q["value"], mine, arbiter, a)), None)
            count["we differ from the grammar, " + why if why else "UNEXPLAINED"] += 1
            if not why:
                left += 1
                print("UNEXPLAINED", json.dumps({"value": q["value"], "ours": a.get("error") or mine, "grammar": arbiter, "odd": q["odd"]}))
        for peer, t in zip((PY, PERL), theirs):
            them = normal(t)
            count[f"{peer} " + ("agrees" if mine == them else kind(mine, them) + ": section 2.2")] += 1
    print(f"Authentication-Results, seed {seed}, {number} fields, {taken} of them valid to us")
    for what, n in sorted(count.items(), key=lambda x: -x[1]):
        print(f"{n:6} {what}")
    sys.exit(1 if left else 0)


main()
