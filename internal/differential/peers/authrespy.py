"""authres, the Python package, behind the requests of `mailauth batch`."""

import json
import sys

import authres

for line in sys.stdin:
    q = json.loads(line)
    try:
        h = authres.AuthenticationResultsHeader.parse_value(q["value"])
        answer = {"id": h.authserv_id, "results": [
            [r.method, r.result, r.reason, [[p.type + "." + p.name, p.value] for p in r.properties]] for r in h.results]}
    except Exception as e:
        answer = {"error": repr(e)}
    print(json.dumps(answer))
