/* verify KEYS: reads paths from standard input and prints for each what
   libopendkim says of its signature; the keys are in a file, "name text".
   sign DOMAIN: reads "path selector keyfile header body out" and writes the file
   out: the message with a signature on top; header and body are 0 for simple. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <opendkim/dkim.h>

static char text[1 << 20], key[1 << 16], field[1 << 16];

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

static DKIM_STAT feed(DKIM *dkim, const char *path, size_t *n)
{
	DKIM_STAT status;

	*n = slurp(path, text, sizeof text);
	status = dkim_chunk(dkim, (unsigned char *)text, *n);
	if (status == DKIM_STAT_OK)
		status = dkim_chunk(dkim, NULL, 0);
	return status == DKIM_STAT_OK ? dkim_eom(dkim, NULL) : status;
}

int main(int argc, char **argv)
{
	char line[4096], path[1024], selector[64], keyfile[1024], out[1024];
	dkim_query_t method = DKIM_QUERY_FILE;
	DKIM_LIB *lib = dkim_init(NULL, NULL);
	DKIM_STAT status = DKIM_STAT_OK;
	DKIM *dkim;
	size_t n;
	int head, body;
	FILE *f;

	if (argc != 3 || lib == NULL)
		return 2;
	if (strcmp(argv[1], "verify") == 0 &&
	    (dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_QUERYMETHOD, &method, sizeof method) != DKIM_STAT_OK ||
	     dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_QUERYINFO, argv[2], strlen(argv[2])) != DKIM_STAT_OK))
		return 2;
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(argv[1], "verify") == 0) {
			if ((dkim = dkim_verify(lib, (const unsigned char *)line, NULL, &status)) == NULL)
				return 2;
			status = feed(dkim, line, &n);
			printf("%s\n", status == DKIM_STAT_OK ? "pass" : dkim_getresultstr(status));
			dkim_free(dkim);
			continue;
		}
		if (sscanf(line, "%1023s %63s %1023s %d %d %1023s", path, selector, keyfile, &head, &body, out) != 6)
			return 2;
		slurp(keyfile, key, sizeof key);
		dkim = dkim_sign(lib, (const unsigned char *)path, NULL, (dkim_sigkey_t)key, (const unsigned char *)selector,
		    (const unsigned char *)argv[2], head ? DKIM_CANON_RELAXED : DKIM_CANON_SIMPLE,
		    body ? DKIM_CANON_RELAXED : DKIM_CANON_SIMPLE, DKIM_SIGN_RSASHA256, -1, &status);
		if (dkim == NULL || (status = feed(dkim, path, &n)) != DKIM_STAT_OK ||
		    dkim_getsighdr(dkim, (unsigned char *)field, sizeof field, strlen("DKIM-Signature: ")) != DKIM_STAT_OK) {
			fprintf(stderr, "%s: %s\n", path, dkim_getresultstr(status));
			return 2;
		}
		if ((f = fopen(out, "wb")) == NULL)
			return 3;
		fprintf(f, "DKIM-Signature: %s\r\n", field);
		fwrite(text, 1, n, f);
		fclose(f);
		dkim_free(dkim);
	}
	dkim_close(lib);
	return 0;
}
