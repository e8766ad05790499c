module github.com/seed2385d973/mailauth/examples/inbox/browser

go 1.26
