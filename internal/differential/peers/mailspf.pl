# Mail::SPF behind the requests of `mailauth batch`.
use strict;
use warnings;
use JSON::PP;
use Mail::SPF;
use Net::DNS;

our %zone;

package Zone;

sub new         { return bless { error => '' }, shift }
sub errorstring { return $_[0]{error} }

sub send {
    my ($self, $name, $type) = @_;
    $self->{error} = 'NOERROR';
    my $packet = Net::DNS::Packet->new($name, $type, 'IN');
    $packet->header->qr(1);
    (my $at = lc $name) =~ s/\.$//;
    for my $hop (0 .. 8) {
        my $node = $main::zone{$at};
        my $fault = !$node ? 'nxdomain' : $node->{error} || $node->{ $type . '_rcode' } || '';
        if ($fault eq 'timeout') {
            $self->{error} = 'query timed out';
            return undef;
        }
        $packet->header->rcode('SERVFAIL') if $fault eq 'servfail';
        $packet->header->rcode('NXDOMAIN') if $fault eq 'nxdomain';
        last if $fault;
        if ($node->{CNAME}) {
            $packet->push(answer => Net::DNS::RR->new(name => $at, type => 'CNAME', cname => $node->{CNAME}));
            $at = lc $node->{CNAME};
            next;
        }
        for my $v (@{ $node->{$type} || [] }) {
            my %data =
                $type eq 'TXT' ? (txtdata => $v)
              : $type eq 'MX'  ? (preference => $v->[0], exchange => $v->[1])
              : $type eq 'PTR' ? (ptrdname => $v)
              :                  (address => $v);
            $packet->push(answer => Net::DNS::RR->new(name => $at, type => $type, %data));
        }
        last;
    }
    return $packet;
}

package main;

my $json   = JSON::PP->new->utf8;
my $server = Mail::SPF::Server->new(
    dns_resolver         => Zone->new,
    query_rr_types       => Mail::SPF::Server->query_rr_type_txt,
    max_void_dns_lookups => 2,
);
while (my $line = <STDIN>) {
    my $q = $json->decode($line);
    %zone = map { (lc $_, $q->{dns}{$_}) } keys %{ $q->{dns} };
    my $null   = $q->{mail_from} eq '';
    my $answer = eval {
        my $r = $server->process(Mail::SPF::Request->new(
            versions      => [1],
            scope         => $null ? 'helo' : 'mfrom',
            identity      => $null ? $q->{helo} : $q->{mail_from},
            helo_identity => $q->{helo},
            ip_address    => $q->{ip},
        ));
        { result => $r->code, text => $r->text };
    } || { result => 'exception', text => "$@" };    # a peer that breaks has no opinion
    print $json->encode($answer), "\n";
}
