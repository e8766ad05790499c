# Mail::AuthenticationResults behind the requests of `mailauth batch`.
use strict;
use warnings;
use JSON::PP;
use Mail::AuthenticationResults::Parser;

$SIG{__WARN__} = sub {};
while (my $line = <STDIN>) {
	my $q = decode_json($line);
	my $answer;
	eval {
		my $h = Mail::AuthenticationResults::Parser->new->parse($q->{value});
		my @results;
		for my $e (@{$h->children}) {
			next unless ref($e) =~ /::Entry$/;
			my ($reason, @props);
			for my $s (@{$e->children}) {
				next unless ref($s) =~ /::SubEntry$/;
				if ($s->key eq "reason") { $reason = $s->value; next }
				push @props, [$s->key, $s->value];
			}
			push @results, [$e->key, $e->value, $reason, \@props];
		}
		$answer = {id => $h->value->value, results => \@results};
		1;
	} or $answer = {error => "$@"};
	print encode_json($answer), "\n";
}
