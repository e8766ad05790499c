"""Runs the programs of this directory, and our command, on the same requests."""

import concurrent.futures
import json
import subprocess
import sys


def run(requests, *commands):
    """Gives every program all requests and returns the answers of each."""
    data = "".join(json.dumps(q) + "\n" for q in requests).encode()

    def ask(command):
        p = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        answers = [json.loads(line) for line in p.stdout.splitlines()]
        if p.returncode or len(answers) != len(requests):
            raise RuntimeError(f"{command[0]} {command[-1]}: {len(answers)} answers for {len(requests)} requests, "
                               f"status {p.returncode}: {p.stderr[-2000:].decode(errors='replace')}")
        return answers

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        try:
            return list(pool.map(ask, commands))
        except RuntimeError as e:
            sys.exit(str(e))
