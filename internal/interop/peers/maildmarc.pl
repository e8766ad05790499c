# Reads aggregate reports with Mail::DMARC and prints what it understood, a line
# of JSON for each file: NAME.eml as the mail, NAME.xml as the XML, and the XML of
# NAME.xml once more without a namespace as NAME.xml-plain.
use strict;
use warnings;
use Email::Simple;
use JSON::PP;
use Mail::DMARC::Report::Receive;

open my $out, ">&", \*STDOUT or die;
open STDOUT, ">&", \*STDERR or die;    # it prints every Subject
{
	no warnings "redefine";
	*Mail::DMARC::Report::save_aggregate = sub { 1 };    # no database
}
my $json = JSON::PP->new->utf8->canonical;
sub slurp { open my $f, "<:raw", $_[0] or die "$_[0]: $!"; local $/; return scalar <$f> }
sub texts { my ($h, @names) = @_; return {map { $_ => "" . ($h->{$_} // "") } @names} }

sub answer {
	my ($name, $read) = @_;
	my $r = Mail::DMARC::Report::Receive->new;
	$r->report->init;
	my %a = (file => $name);
	if (eval { $read->($r); 1 }) {
		my $agg = $r->report->aggregate;
		$a{metadata} = texts($agg->metadata, qw(org_name email extra_contact_info report_id));
		$a{metadata}{$_} = "" . $agg->metadata->$_ for qw(begin end);
		$a{policy} = texts($agg->policy_published, qw(domain adkim aspf p sp pct));
		for my $rec (@{$agg->record}) {
			my %o = (row => texts($rec->{row}, qw(source_ip count)), identifiers => texts($rec->{identifiers}, qw(envelope_to envelope_from header_from)));
			$o{evaluated} = texts($rec->{row}{policy_evaluated}, qw(disposition dkim spf));
			$o{reasons} = [map { texts($_, qw(type comment)) } @{$rec->{row}{policy_evaluated}{reason} || []}];
			$o{dkim} = [map { texts($_, qw(domain selector result human_result)) } @{$rec->{auth_results}{dkim} || []}];
			$o{spf} = [map { texts($_, qw(domain scope result)) } @{$rec->{auth_results}{spf} || []}];
			push @{$a{records}}, \%o;
		}
	} else {
		$a{error} = "$@";
	}
	print $out $json->encode(\%a), "\n";
}

for my $path (sort glob("report-*.eml")) {
	answer($path, sub { $_[0]->from_email_simple(Email::Simple->new(slurp($path))) eq "aggregate" or die "not recognized" });
}
for my $path (sort glob("report-*.xml")) {
	my $xml = slurp($path);
	answer($path, sub { $_[0]->handle_body($xml) });
	(my $plain = $xml) =~ s/<feedback xmlns="[^"]*">/<feedback>/;
	answer("$path-plain", sub { $_[0]->handle_body($plain) });
}
