# As arcdkimpy.py, for Mail::DKIM.
use strict;
use warnings;
use JSON::PP;
use Mail::DKIM::ARC::Signer;
use Mail::DKIM::ARC::Verifier;
use Mail::DKIM::DNS;

my ($mode, @args) = @ARGV;
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
	for my $path (sort glob("$args[0]-chain-*.eml")) {
		my $v = Mail::DKIM::ARC::Verifier->new;
		$v->PRINT(slurp($path));
		$v->CLOSE;
		(my $word = $v->result eq "pass" ? "pass" : $v->result_detail) =~ s/\s+/_/g;
		print "$path $word\n";
	}
} else {
	my ($in, $out, $domain, $status) = @args;
	my $s = Mail::DKIM::ARC::Signer->new(Algorithm => "rsa-sha256", Chain => $status, Domain => $domain,
		SrvId => "mx.$domain", Selector => "r1", KeyFile => "r1.pkcs1");
	$s->PRINT(slurp($in));
	$s->CLOSE;
	die $s->result_detail unless $s->result eq "sealed";
	open my $f, ">:raw", $out or die "$out: $!";
	print $f map { "$_\015\012" } $s->as_strings;
	close $f or die;
}

package Answer;
sub new { my ($class, $txt) = @_; return bless {txt => $txt}, $class }
sub type { "TXT" }
sub char_str_list { my $t = $_[0]{txt}; return $t =~ /(.{1,255})/gs }
sub txtdata { return $_[0]{txt} }
