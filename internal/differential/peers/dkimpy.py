"""dkimpy behind the requests of `mailauth batch`."""

import base64
import json
import sys

import dkim

for line in sys.stdin:
    q = json.loads(line)
    zone = {k.lower(): v for k, v in q["dns"].items()}

    def txt(name, timeout=5):
        # dkimpy takes the first record of those that its resolver returns.
        records = zone.get(name.decode("ascii", "replace").rstrip(".").lower(), {}).get("TXT", [])
        return "".join(records[0]).encode() if records else None

    try:
        result = "pass" if dkim.DKIM(base64.b64decode(q["message_b64"]), minkey=1024).verify(0, dnsfunc=txt) else "fail"
        text = ""
    except Exception as e:  # its way to say permerror, and also how it breaks
        result, text = "exception", repr(e)
    print(json.dumps({"result": result, "text": text}))
