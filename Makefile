# The commands of this repository; nothing here is needed to build it.
.PHONY: browser mta test race vet fuzz fuzz-long fuzz-keep bench api sections interop differential mutate ci

test: # what the README says
	go test ./...

race:
	go test -race -shuffle=on ./...

vet:
	gofmt -l .
	go vet ./...
	cd internal/tools && go build -o ../../staticcheck.out honnef.co/go/tools/cmd/staticcheck
	./staticcheck.out ./...

fuzz: # one target for a while: make fuzz PKG=./authres TARGET=FuzzParse
	go test -run '^$$' -fuzz '^$(TARGET)$$' -fuzztime 10m -fuzzminimizetime 20x $(PKG)

fuzz-long: # every target in turn, for hours: make fuzz-long ARGS="-for 8h -slice 5m -parallel 2"; then fuzz-keep
	cd internal/tools && go run ./fuzz run -C ../.. $(ARGS)

fuzz-keep: # commit what the long run found, reduced; findings are in the work directory that it named
	cd internal/tools && go run ./fuzz keep -C ../.. $(ARGS)

bench:
	go test -run '^$$' -bench . -count 10 ./...

soak: # a million messages over one Evaluator; says how much the heap has grown
	go test -run '^$$' -bench Soak -benchtime 1000000x -timeout 1h .

api: # after a change of the exported API; say it in CHANGELOG.md, too
	cd internal/tools && go run ./api -C ../.. -update ../../api.txt

interop: # what we sign under other implementations, and theirs under ours; installs Debian packages if it may
	internal/interop/run.sh

differential: # generated SPF checks, DKIM messages and A-R fields beside other implementations; ARGS="all|spf|dkim|authres seed number"
	internal/differential/run.sh $(ARGS)

mutate: # change the code that decides and see whether a test notices; ARGS="-sample 100 dmarc"; all of it takes hours
	cd internal/tools && go run ./mutate -C ../.. $(ARGS)

sections: # after the specification texts changed
	go test -run TestCitedSections -update-sections .

browser: # the example inbox in Debian's chromium, installed if it may; SCREENSHOT=file keeps what it showed
	examples/inbox/browser/run.sh

mta: # examples/mta in real mail servers, on loopback; installs Debian packages if it may; ARGS=figures measures instead
	examples/mta/integration/run.sh $(ARGS)

ci:
	.ci/run
