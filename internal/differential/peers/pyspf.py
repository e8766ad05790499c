"""pyspf behind the requests of `mailauth batch`."""

import json
import sys

import spf

zone = {}


def lookup(name, qtype, strict=True, timeout=20, hops=0):
    node = zone.get(name.lower().rstrip("."))
    if node is None:
        return []
    fault = node.get("error", node.get(qtype + "_rcode"))
    if fault in ("servfail", "timeout"):
        raise spf.TempError("DNS " + fault)
    if fault:
        return []
    if "CNAME" in node:
        return [((name, "CNAME"), node["CNAME"])] + lookup(node["CNAME"], qtype)
    values = node.get(qtype, [])
    if qtype == "TXT":
        values = [[c.encode() for c in v] for v in values]
    if qtype == "MX":
        values = [tuple(v) for v in values]
    return [((name, qtype), v) for v in values]


spf.DNSLookup = lookup
for line in sys.stdin:
    q = json.loads(line)
    zone = {k.lower(): v for k, v in q["dns"].items()}
    try:
        result, _, text = spf.query(i=q["ip"], s=q["mail_from"], h=q["helo"], receiver=q["receiver"], strict=True).check()
    except Exception as e:  # a peer that breaks has no opinion
        result, text = "exception", repr(e)
    print(json.dumps({"result": result, "text": text}))
