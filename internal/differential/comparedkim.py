"""Has four verifiers read the same signed messages (dkimworld.py), most of them odd
in some way, and looks at where one of the others says pass and we do not, or the
other way round.

What a refusal is called is everybody's own business; a pass is what mail is
trusted for. Every difference has to be of a class of EXPLAINED, which says where
RFC 6376, or the decision that our documentation names, is on our side. Any other
ends the run with status 1.
"""

import collections
import json
import random
import re
import sys

import dkimworld
from peers import run

GO, PY, PERL = "go-msgauth", "dkimpy", "Mail::DKIM"

# Why we are right: the section; which peers differ; what we say ("pass", or codes);
# what is odd about the message (None: anything); what the peer says (None: anything).
EXPLAINED = [
    # We refuse, by the grammar.
    ("3.2: the list of tags has a syntax, and a tag occurs once", {GO, PY, PERL}, {"ErrTagList"}, None, None),
    ("3.2, 3.5: v=, a=, q=, c=, l=, t=, x=, z=, bh= and b= have a syntax", {GO, PY, PERL},
     {"ErrVersion", "ErrAlgorithm", "ErrQueryMethod", "ErrCanonicalization", "ErrLength", "ErrTime", "ErrCopiedFields", "ErrBodyHashData", "ErrSignatureData", "ErrMissingTag"}, None, None),
    ("3.5: d=, s=, i= and h= are domain names, selectors, an address and field names", {GO, PY, PERL},
     {"ErrDomain", "ErrSelector", "ErrIdentity", "ErrHeaderNames"}, None, None),
    ("3.5: i= is at or below d=", {GO, PY, PERL}, {"ErrDomainMismatch"}, None, None),
    ("3.5: l= is not larger than the body", {PY, PERL}, {"ErrBodyTooShort"}, None, None),
    ("6.1.1: From is signed", {PY, PERL}, {"ErrFromNotSigned"}, None, None),
    ("6.1.1, decision 14: a public suffix signs for nobody", {GO, PY, PERL}, {"ErrPublicSuffix"}, None, None),
    ("3.5, decision 22: a signature is not from the future, nor past its end", {GO, PY, PERL}, {"ErrFuture", "ErrExpired"}, None, None),
    ("8.2: l= leaves the rest of the body to anybody; refused by default", {PY, PERL}, {"ErrBodyLength"}, None, None),
    ("3.6.1: the key record has a syntax", {GO, PY, PERL}, {"ErrKeySyntax"}, None, None),
    ("3.6.1: v= comes first, and is DKIM1", {GO, PY, PERL}, {"ErrNoKey"}, {"key v= not first", "key v= odd", "key capitals", "key without v="}, None),
    ("3.6.2.2, decision 24: of several keys none is taken", {PY, PERL}, {"ErrMultipleKeys"}, None, None),
    ("3.6.1: h=, s=, k= and the flag s of the key restrict its use", {GO, PY, PERL}, {"ErrKeyHash", "ErrKeyService", "ErrKeyType", "ErrKeyStrict"}, None, None),
    # We pass.
    ("RFC 8463: Ed25519", {PERL}, {"pass"}, None, "unsupported algorithm ed25519"),
    ("2.8, 3.4.2, 3.4.4: WSP is SP and HTAB, nothing else", {PY, PERL, GO}, {"pass"}, {"field controls", "body octets", "field octets"}, "altered|fail|hash|verification"),
    ("3.4: only CRLF ends a line; CR and LF alone are octets as others (DIVERGENCES: remarked on, and an option to refuse)", {GO, PY, PERL}, {"pass"},
     {"body bare CR", "body bare LF", "field bare CR", "field bare LF"}, None),
    ("3.4.3, 3.4.4: a body that does not end in CRLF gets one", {PY, PERL, GO}, {"pass"}, {"body without last CRLF", "body dots", "then the last CRLF off", "then more body"}, "body|hash"),
    ("3.5: an entry dkim-signature of h= never means the field itself", {GO, PY, PERL}, {"pass"}, {"h= own field"}, None),
    ("3.4.2: relaxed deletes WSP before the colon; RFC 5322, section 4.5.8: such fields are obsolete, not forbidden", {PY, PERL}, {"pass"},
     {"signature field space before colon", "field space before colon"}, None),
    ("3.6.2.2, decision 24: a record that is no key does not spoil the key beside it", {GO, PY, PERL}, {"pass"}, {"key beside SPF", "key beside text"}, None),
    ("2.11: white space is no part of the value of i=", {PY, PERL}, {"pass"}, {"i= odd"}, "identity|subdomain"),
    ("3.5: the domain of i= is compared as the DNS does, without regard to case", {GO}, {"pass"}, {"i= below", "d= capitals"}, "domain mismatch"),
    ("RFC 5322, section 3.6.8: no field has such a name; it is not signed and remarked on, and the message is not refused for it", {PY}, {"pass"}, None, "Unexpected characters in RFC822 header"),
    ("3.6.1, 2.10: any FWS may stand in p=", {GO}, {"pass"}, {"key p= spaced"}, "illegal base64"),
    ("3.6.1: p= holds an RSAPublicKey", {PERL}, {"pass"}, {"key PKCS #1"}, "wrong tag"),
    ("3.6.1: g= is an unknown tag since RFC 6376, section C.2, and ignored", {PERL}, {"pass"}, {"key g="}, "granularity"),
    ("3.5: q= is a list, and unknown methods are ignored", {PY, PERL}, {"pass"}, {"q= dns/txt"}, None),
    ("3.6.1: h= and s= are lists with white space around the colons", {PY, PERL}, {"pass"}, {"key h=", "key s="}, None),
    ("3.7: only the value of the tag b= is deleted, not that of a tag whose name ends in b, nor what looks like it", {GO}, {"pass"}, {"tag named like b", "z=", "tag unknown"}, "did not verify"),
    ("3.7: deleted are the value of b= with the white space around it, and the CRLF at the end of the field", {GO, PY, PERL}, {"pass"},
     {"tags end in semicolon", "tags spaced", "tags in any order"}, "^fail|verify"),
    ("5.4.2: a field added that h= does not name once more is not in the hash", {PY}, {"pass"}, {"then a field on top", "then a field below"}, None),
    # We fail.
    ("3.4: the verifier changes no line end", {GO, PY}, {"ErrBodyHash", "ErrSignature"}, {"then CR off", "body bare LF", "body bare CR", "field bare LF", "field bare CR"}, None),
]


# What is odd and in order: alone it makes no signature bad.
LEGAL = {
    "field folded", "field of white space", "fold of white space", "field trailing space", "field space before colon", "field no space", "field octets",
    "field controls", "field name odd", "field bare CR", "field bare LF", "field long", "body empty", "body of white space", "body without last CRLF",
    "body bare CR", "body bare LF", "body octets", "body long", "body dots", "tags in any order", "tags without space", "tags spaced", "tags end in semicolon",
    "tag unknown", "tag named like b", "tag of capitals", "d= capitals", "s= capitals", "s= underscore", "i= below", "t= and x=", "q= dns/txt", "z=",
    "h= spaced", "h= capitals", "h= repeated", "h= absent", "h= own field", "b= folded", "b= spaced", "bh= spaced", "signature field spaced",
    "signature field of other case", "signature field space before colon", "key in pieces", "key without v=", "key h=", "key s=", "key t=y", "key n=", "key g=",
    "key tag unknown", "key semicolon at end", "key p= spaced", "key PKCS #1", "key beside SPF", "key beside text", "then empty lines",
}


def explain(peer, mine, odd, theirs):
    for why, peers, words, names, text in EXPLAINED:
        if peer in peers and mine in words and (names is None or names & set(odd)) and (text is None or re.search(text, theirs["result"] + " " + theirs["text"])):
            return why
    return None


def main():
    command, msgauth, seed, number = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    keys, r = dkimworld.keys(), random.Random(seed)
    requests = [dkimworld.request(i, r, keys) for i in range(number)]
    ours, *peers = run(requests, [command, "batch"], [msgauth], ["/usr/bin/python3", "-W", "ignore", "peers/dkimpy.py"], ["perl", "peers/maildkim.pl"])
    results, count, left = collections.Counter(), collections.Counter(), 0
    for q, answer, *theirs in zip(requests, ours, *peers):
        signature = (answer["result"] or [{"result": "none", "code": "none"}])[0]
        mine = "pass" if signature["result"] == "pass" else signature["code"]
        results["pass" if mine == "pass" else "no pass"] += 1
        if mine != "pass" and len(q["odd"]) <= 1 and LEGAL.issuperset(q["odd"]):
            count["UNEXPLAINED"] += 1
            left += 1
            print("UNEXPLAINED refusal", json.dumps({"ours": signature, "odd": q["odd"], "request": q}))
        for peer, t in zip((GO, PY, PERL), theirs):
            if (t["result"] == "pass") == (mine == "pass"):
                count[f"{peer} agrees"] += 1
                continue
            why = explain(peer, mine, q["odd"], t)
            count[f"{peer} differs, section {why}" if why else "UNEXPLAINED"] += 1
            if not why:
                left += 1
                print("UNEXPLAINED", peer, json.dumps({"ours": signature, "theirs": t, "odd": q["odd"], "request": q}))
    print(f"DKIM, seed {seed}, {number} messages:", dict(results))
    for what, n in sorted(count.items(), key=lambda x: -x[1]):
        print(f"{n:6} {what}")
    sys.exit(1 if left else 0)


main()
