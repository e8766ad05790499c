# verify DOMAIN: prints for each ours-nnn.eml what dkimpy says of the RSA and the
# Ed25519 signature. sign DOMAIN NAME: writes NAME-nnn.eml for each plain-nnn.eml.
import glob, json, sys
import dkim

mode, domain = sys.argv[1], sys.argv[2].encode()
dns = json.load(open("dns.json"))
ask = lambda name, timeout=5: dns.get(name.decode().rstrip("."), "").encode()
pairs = [(b"relaxed", b"relaxed"), (b"simple", b"simple"), (b"relaxed", b"simple"), (b"simple", b"relaxed")]

if mode == "verify":
    for path in sorted(glob.glob("ours-*.eml")):
        words = []
        for k in range(2):
            try:
                words.append("pass" if dkim.DKIM(open(path, "rb").read()).verify(k, dnsfunc=ask) else "fail")
            except Exception as e:
                words.append(type(e).__name__)
        print(path, *words)
else:
    import base64
    for i, path in enumerate(sorted(glob.glob("plain-*.eml"))):
        text = open(path, "rb").read()
        sel = [b"r1", b"r2", b"ed"][i % 3]
        if sel == b"ed":
            # Only the seed, in base64: the last 32 octets of PKCS #8.
            pem = open("ed.pem").read().splitlines()
            key, alg = base64.b64encode(base64.b64decode("".join(pem[1:-1]))[-32:]), b"ed25519-sha256"
        else:
            key, alg = open(sel.decode() + ".pkcs1", "rb").read(), b"rsa-sha256"
        field = dkim.sign(text, sel, domain, key, canonicalize=pairs[i % 4], signature_algorithm=alg)
        open(sys.argv[3] + path[5:], "wb").write(field + text)
