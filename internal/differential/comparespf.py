"""Generates SPF records that refer to each other, asks three implementations
for the result of the same check, and looks at where they differ.

All three read requests in the form of `mailauth batch`, one JSON object a line.
A difference is in order where the letter of RFC 7208 is on our side; EXPLAINED
says for each which section that is. Any other ends the run with status 1.
"""

import collections
import json
import random
import sys

from peers import run

NAMES = ["v.example", "a.v.example", "w.example", "x.example", "y.example",
         "_s.w.example", "m.x.example", "n.example", "h.example", "p.v.example",
         "q.w.example", "long." + "a" * 60 + ".example"]
NOWHERE = ["nx1.example", "nx2.example", "nx3.example"]
IP4 = ["192.0.2.9", "192.0.2.77", "198.51.100.3", "10.0.0.1"]
IP6 = ["2001:db8::9", "2001:db8::1:2", "2001:db8:1::5"]
REVERSE = "9.2.0.192.in-addr.arpa"  # of the IPv4 client


class World:
    """Makes one request at a time out of a seeded source."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def one(self, *of):
        return self.r.choice(of)

    def often(self, probability):
        return self.r.random() < probability

    def macro(self):
        letter = self.r.choice("slodiphvSLODIPHV") if self.often(.97) else self.r.choice("crtz")
        digits = self.one("", "", "1", "2", "3", "127", "0") if self.often(.5) else ""
        return "%{" + letter + digits + self.one("", "", "r") + self.one("", "", "", ".", "-", "+", "=_", "/", ".-") + "}"

    def spec(self):
        k = self.r.random()
        if k < .6:
            return self.r.choice(NAMES)
        if k < .67:
            return self.r.choice(NOWHERE)
        if k < .8:
            return self.macro() + "." + self.r.choice(NAMES)
        if k < .88:
            return self.macro()
        if k < .92:
            return self.one("%%", "%_", "%-", "%{d}") + "x." + self.r.choice(NAMES)
        if k < .96:
            return self.one(self.r.choice(NAMES) + ".", self.r.choice(NAMES).upper())
        return self.one("x..example", ".x.example", "a" * 64 + ".example", "x.123", "localhost", "x.example-",
                        "-x.example", "x_y.example", "%", "x.%{d}x", "http://x.example", "u@x.example", "x.example:25")

    def prefix(self):
        return self.one(*[""] * 8, "/24", "/32", "/0", "//64", "/24//64", "/8", "//128", "//0", "/33", "/024", "//129", "/", "/-1", "//")

    def term(self):
        k, q = self.r.random(), self.one(*[""] * 6, "+", "-", "~", "?")
        if k < .16:
            return q + self.one("a", "A") + (":" + self.spec() if self.often(.7) else "") + self.prefix()
        if k < .28:
            return q + "mx" + (":" + self.spec() if self.often(.7) else "") + self.prefix()
        if k < .46:
            return q + "include:" + self.spec()
        if k < .56:
            return q + "exists:" + self.spec()
        if k < .62:
            return q + "ptr" + (":" + self.spec() if self.often(.5) else "")
        if k < .72:
            return q + "ip4:" + self.one(*IP4, "192.0.2.0") + (self.one("", "/24", "/32", "/16", "/33", "/0", "/08") if self.often(.6) else "")
        if k < .78:
            return q + "ip6:" + self.one(*IP6, "2001:db8::", "::ffff:192.0.2.9", "::") + (self.one("", "/64", "/128", "/129", "/0") if self.often(.6) else "")
        if k < .86:
            return q + "all"
        if k < .92:
            return "redirect=" + self.spec()
        if k < .94:
            return "exp=" + self.spec()
        if k < .985:
            return self.one("x=y", "foo=%{d}", "moo=", "x-y.z_=%{i}")
        return self.one("foo", "all:x", "ip4", "ip6:", "include", "exists", "-", "+", "redirect:x.example", "x=%", "ip4:1.2.3",
                        "ip4:192.0.2.9:1", "-ALL", "1=2", "-x=y")

    def record(self):
        text = self.one(*["v=spf1"] * 14, "V=SPF1") + "".join(self.one(*[" "] * 12, "  ") + self.term() for _ in range(self.one(0, 1, 1, 2, 2, 3, 3, 4, 5, 12)))
        if self.often(.03):
            text = self.one("v=spf10 +all", "hello", "v=spf1+all", "v=spf2.0/pra +all", " v=spf1 all", "v=spf1\t+all")
        if self.often(.02):
            at = self.r.randrange(len(text))
            text = text[:at] + self.r.choice("\t:/=%{} .-a1") + text[at + 1:]
        if self.often(.04):
            at = self.r.randrange(1, len(text))
            return [text[:at], text[at:]]
        return [text]

    def node(self, name):
        n = {}
        if self.often(.85):
            n["TXT"] = [self.record() for _ in range(self.one(*[1] * 15, 2))]
        if self.often(.5):
            n["A"] = self.r.sample(IP4, self.one(1, 1, 2))
        if self.often(.3):
            n["AAAA"] = [self.r.choice(IP6)]
        if self.often(.35):
            n["MX"] = [[self.one(5, 10, 20), self.one(*NAMES, NOWHERE[0])] for _ in range(self.one(1, 1, 2, 2, 3, 11))]
        if self.often(.02):
            n["error"] = self.one("servfail", "timeout")
        if self.often(.02):
            n[self.one("TXT", "A", "AAAA", "MX") + "_rcode"] = self.one("servfail", "nodata", "nxdomain")
        if self.often(.03):
            target = self.r.choice(NAMES[:6])
            if target > name:  # no loops: one peer follows them for ever
                n = {"CNAME": target}
        return n

    def request(self, number):
        zone = {name: self.node(name) for name in NAMES}
        if self.often(.6):
            zone[REVERSE] = {"PTR": self.r.sample(NAMES, self.one(1, 2, 3))} if self.often(.95) else {"error": "servfail"}
        return {"id": str(number), "op": "spf", "dns": zone, "now": "2026-11-21T12:00:00Z", "receiver": "mx.r.example",
                "ip": self.one(*[IP4[0]] * 4, IP6[0], IP6[2]),
                "mail_from": self.one(*["a@v.example"] * 5, "strong-bad@V.Example", "u+x=y@w.example", "", "@v.example"),
                "helo": self.one("h.example", "mx.h.example", "v.example")}


# Why a result that neither peer shares is right: the section, and the test of
# the request and of what the three said.
EXPLAINED = [
    ("5.5: a DNS error on the PTR lookup is no match",
     lambda text, ours, theirs: REVERSE in text and "servfail" in text and "ptr" in text.lower() and any(t["result"] == "temperror" for t in theirs)),
    ("4.6 and 7.3: zero is no DIGIT transformer, also in a term that is not reached",
     lambda text, ours, theirs: ours.get("code") == "ErrMacro"),
    ("4.6.4 (decision 8): names that the client's PTR lists, and the look-up for %{p}, are no void lookups of the publisher",
     lambda text, ours, theirs: any("oid" in t["text"] for t in theirs) and ("ptr" in text.lower() or "%{p" in text.lower())),
    ("5.4: MX names of one preference have no order, and what matches before the one that fails matches",
     lambda text, ours, theirs: "mx" in (ours.get("mechanism") or "").lower() and all(t["result"] == "temperror" for t in theirs)),
    ("4.6.2: terms are evaluated from left to right, and an include of itself that is not reached is not followed",
     lambda text, ours, theirs: any("trivial recursion" in t["text"] for t in theirs) and any(t["result"] == "exception" for t in theirs)),
    ("5: ip6:::ffff:0:0/96 does not name an IPv4 client; 4.6.4: see above",
     lambda text, ours, theirs: any("FFFF:C000:209" in t["text"] for t in theirs)),
]


def main():
    command, seed, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    world = World(seed)
    requests = [world.request(i) for i in range(number)]
    ours, *peers = run(requests, [command, "batch"], ["/usr/bin/python3", "-W", "ignore", "peers/pyspf.py"], ["perl", "peers/mailspf.pl"])
    count, results, left = collections.Counter(), collections.Counter(), 0
    for q, answer, *theirs in zip(requests, ours, *peers):
        mine = answer["result"]
        results[mine["result"]] += 1
        words = [t["result"] for t in theirs]
        if mine["result"] in words:
            count["agree with both" if words[0] == words[1] else "agree with one, where they differ"] += 1
            continue
        why = next((why for why, holds in EXPLAINED if holds(json.dumps(q["dns"]), mine, theirs)), None)
        count["section " + why if why else "UNEXPLAINED"] += 1
        if not why:
            left += 1
            print("UNEXPLAINED", json.dumps({"ours": mine, "theirs": theirs, "request": q}))
    print(f"SPF, seed {seed}, {number} checks:", dict(results))
    for what, n in count.most_common():
        print(f"{n:6} {what}")
    sys.exit(1 if left else 0)


main()
