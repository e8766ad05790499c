# verify NAME: prints for each NAME-chain-nn.eml what dkimpy says of its chain.
# seal IN OUT DOMAIN STATUS: writes the three fields for one message.
import glob, json, sys
import dkim

mode = sys.argv[1]
dns = json.load(open("dns.json"))
ask = lambda name, timeout=5: dns.get(name.decode().rstrip("."), "").encode()

if mode == "verify":
    for path in sorted(glob.glob(sys.argv[2] + "-chain-*.eml")):
        cv, results, reason = dkim.arc_verify(open(path, "rb").read(), dnsfunc=ask)
        print(path, cv.decode() if cv == b"pass" else repr((cv, reason)).replace(" ", "_"))
else:
    domain = sys.argv[4].encode()
    fields = dkim.arc_sign(open(sys.argv[2], "rb").read(), b"r1", domain, open("r1.pkcs1", "rb").read(), b"mx." + domain,
                           include_headers=[b"from", b"to", b"subject", b"date", b"message-id"])
    assert len(fields) == 3, fields
    open(sys.argv[3], "wb").write(b"".join(f.rstrip(b"\r\n") + b"\r\n" for f in fields))
