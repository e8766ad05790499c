# As dkimpy.py, for Mail::DKIM, which knows RSA alone.
use strict;
use warnings;
use JSON::PP;
use Mail::DKIM::Signer;
use Mail::DKIM::Verifier;
use Mail::DKIM::DNS;

my ($mode, $domain, $name) = @ARGV;
sub slurp { open my $f, "<:raw", $_[0] or die "$_[0]: $!"; local $/; return scalar <$f> }
my $dns = decode_json(slurp("dns.json"));
{
	no warnings "redefine";
	*Mail::DKIM::DNS::query = sub { my $txt = $dns->{$_[0]}; return defined $txt ? Answer->new($txt) : () };
	*Mail::DKIM::DNS::query_async = sub {
		my ($n, $t, %p) = @_;
		my @r = Mail::DKIM::DNS::query($n, $t);
		return sub { return $p{Callbacks}{Success}->(@r) };
	};
}
if ($mode eq "verify") {
	for my $path (sort glob("ours-*.eml")) {
		my $v = Mail::DKIM::Verifier->new;
		$v->PRINT(slurp($path));
		$v->CLOSE;
		my %word = (rsa => "none", ed25519 => "none");
		for my $s ($v->signatures) {
			my ($type) = $s->algorithm =~ /^([a-z0-9]+)-/;
			$word{$type} = $s->result;
		}
		print "$path $word{rsa} $word{ed25519}\n";
	}
} else {
	my $i = 0;
	for my $path (sort glob("plain-*.eml")) {
		my $sel = ("r1", "r2")[$i % 2];
		my $method = ("relaxed/relaxed", "simple/simple", "relaxed/simple", "simple/relaxed")[$i++ % 4];
		my $s = Mail::DKIM::Signer->new(Algorithm => "rsa-sha256", Method => $method, Domain => $domain, Selector => $sel, KeyFile => "$sel.pkcs1");
		my $text = slurp($path);
		$s->PRINT($text);
		$s->CLOSE;
		(my $out = $path) =~ s/^plain/$name/;
		open my $f, ">:raw", $out or die "$out: $!";
		print $f $s->signature->as_string, "\015\012", $text;
		close $f or die;
	}
}

package Answer;
sub new { my ($class, $txt) = @_; return bless {txt => $txt}, $class }
sub type { "TXT" }
sub char_str_list { my $t = $_[0]{txt}; return $t =~ /(.{1,255})/gs }
sub txtdata { return $_[0]{txt} }
