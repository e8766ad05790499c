# Mail::DKIM behind the requests of `mailauth batch`.
use strict;
use warnings;
use JSON::PP;
use MIME::Base64;
use Mail::DKIM::Verifier;
use Mail::DKIM::DNS;

my $zone;
{
	no warnings "redefine";
	*Mail::DKIM::DNS::query = sub {
		my $node = $zone->{lc $_[0]} or return ();
		return map { Answer->new($_) } @{$node->{TXT} || []};
	};
	*Mail::DKIM::DNS::query_async = sub {
		my ($n, $t, %p) = @_;
		my @r = Mail::DKIM::DNS::query($n, $t);
		return sub { return $p{Callbacks}{Success}->(@r) };
	};
}
$| = 1;
while (my $line = <STDIN>) {
	my $q = decode_json($line);
	$zone = {map { lc($_) => $q->{dns}{$_} } keys %{$q->{dns}}};
	my ($result, $text) = ("exception", "");
	eval {
		my $v = Mail::DKIM::Verifier->new;
		$v->PRINT(decode_base64($q->{message_b64}));
		$v->CLOSE;
		($result, $text) = ($v->result, $v->result_detail);
		1;
	} or $text = "$@";
	print encode_json({result => $result, text => $text}), "\n";
}

package Answer;
sub new { my ($class, $strings) = @_; return bless {strings => $strings}, $class }
sub type { "TXT" }
sub char_str_list { return @{$_[0]{strings}} }
sub txtdata { return join "", @{$_[0]{strings}} }
