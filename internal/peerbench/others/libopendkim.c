/* As dkimpy.py, for libopendkim. It stops at the first good signature, so of a message
   with several it only says so. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <opendkim/dkim.h>

static char text[4 << 20], keys[1 << 16];

static size_t slurp(const char *path, char *to, size_t size)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL)
		exit(3);
	n = fread(to, 1, size - 1, f);
	to[n] = '\0';
	fclose(f);
	return n;
}

/* All keys of a message are one. */
static DKIM_CBSTAT lookup(DKIM *dkim, DKIM_SIGINFO *sig, unsigned char *buf, size_t len)
{
	const char *record = strchr(keys, ' ');
	const char *end = record == NULL ? NULL : strchr(record, '\n');

	if (end == NULL || (size_t)(end - record) > len)
		return DKIM_CBSTAT_NOTFOUND;
	memcpy(buf, record + 1, end - record - 1);
	buf[end - record - 1] = '\0';
	return DKIM_CBSTAT_CONTINUE;
}

static void run(DKIM_LIB *lib, size_t n)
{
	DKIM_STAT status;
	DKIM *dkim = dkim_verify(lib, (const unsigned char *)"message", NULL, &status);

	if (dkim == NULL)
		exit(4);
	status = dkim_chunk(dkim, (unsigned char *)text, n);
	if (status == DKIM_STAT_OK)
		status = dkim_chunk(dkim, NULL, 0);
	if (status == DKIM_STAT_OK)
		status = dkim_eom(dkim, NULL);
	if (status != DKIM_STAT_OK) {
		fprintf(stderr, "%s\n", dkim_getresultstr(status));
		exit(5);
	}
	dkim_free(dkim);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
	DKIM_LIB *lib = dkim_init(NULL, NULL);
	double least = 1e12, end, start, took;
	size_t n;
	int runs;
	char *second;

	if (argc != 3 || lib == NULL)
		return 2;
	n = slurp(argv[1], text, sizeof text);
	slurp(argv[2], keys, sizeof keys);
	second = strstr(text, "DKIM-Signature:");
	if (second == NULL)
		return 2;
	second = strstr(second + 1, "DKIM-Signature:");
	if (second != NULL && second < strstr(text, "\r\n\r\n")) {
		printf("several\n");
		return 0;
	}
	dkim_set_key_lookup(lib, lookup);
	run(lib, n);
	for (end = now() + 7e5; now() < end;) {
		start = now();
		runs = 0;
		do {
			run(lib, n);
			runs++;
			took = now() - start;
		} while (took < 2000);
		if (took / runs < least)
			least = took / runs;
	}
	printf("%f\n", least);
	dkim_close(lib);
	return 0;
}
