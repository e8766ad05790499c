# Prints the microseconds of the quickest verification of all signatures of a message
# by dkimpy: dkimpy.py MESSAGE KEYS
import sys, time
import dkim

text = open(sys.argv[1], "rb").read()
keys = dict(line.rstrip("\n").split(" ", 1) for line in open(sys.argv[2]))
ask = lambda name, timeout=5: keys[name.decode().rstrip(".")].encode()
count = text.split(b"\r\n\r\n")[0].count(b"DKIM-Signature:")

def run():
    for i in range(count):
        assert dkim.DKIM(text).verify(i, dnsfunc=ask)

run()
least, end = 1e9, time.perf_counter() + 0.7
while time.perf_counter() < end:
    n, start = 0, time.perf_counter()
    while True:
        run()
        n += 1
        took = time.perf_counter() - start
        if took > 0.002:
            break
    least = min(least, took / n)
print(least * 1e6)
