# As dkimpy.py, for Mail::DKIM.
use strict;
use warnings;
use Mail::DKIM::Verifier;
use Mail::DKIM::DNS;
use Time::HiRes qw(time);

sub slurp { open my $f, "<:raw", $_[0] or die "$_[0]: $!"; local $/; return scalar <$f> }
my $text = slurp($ARGV[0]);
my %keys = map { split / /, $_, 2 } split /\n/, slurp($ARGV[1]);
{
	no warnings "redefine";
	*Mail::DKIM::DNS::query = sub { my $txt = $keys{$_[0]}; return defined $txt ? Answer->new($txt) : () };
	*Mail::DKIM::DNS::query_async = sub {
		my ($n, $t, %p) = @_;
		my @r = Mail::DKIM::DNS::query($n, $t);
		return sub { return $p{Callbacks}{Success}->(@r) };
	};
}
sub run {
	my $v = Mail::DKIM::Verifier->new;
	$v->PRINT($text);
	$v->CLOSE;
	for my $s ($v->signatures) { $s->result eq "pass" or die $s->result_detail }
}
run();
my ($least, $end) = (1e9, time + 0.7);
while (time < $end) {
	my ($n, $start, $took) = (0, time);
	do { run(); $n++; $took = time - $start } while $took < 0.002;
	$least = $took / $n if $took / $n < $least;
}
print $least * 1e6, "\n";

package Answer;
sub new { my ($class, $txt) = @_; return bless {txt => $txt}, $class }
sub type { "TXT" }
sub char_str_list { my $t = $_[0]{txt}; return $t =~ /(.{1,255})/gs }
sub txtdata { return $_[0]{txt} }
