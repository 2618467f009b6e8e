# Net::Sieve behind lines of JSON: a request on standard input, its answer on standard output.
use strict;
use warnings;
use JSON::PP;
use MIME::Base64;
use Net::Sieve;

my $client;

sub octets { my ($text) = @_; utf8::encode($text); return $text }

my %calls = (
    open => sub {
        my ($r) = @_;
        # It looks for authorities in /etc/ssl/certs alone.
        my %how = (server => 'localhost', port => $r->{port}, notssl_verify => 1);
        $how{autmech} = $r->{mechanism} if $r->{mechanism};
        @how{'sslkeyfile', 'sslcertfile'} = ($r->{key}) x 2 if $r->{key};
        $client = Net::Sieve->new(%how, user => octets($r->{user}), password => octets($r->{password}));
        return;
    },
    list => sub {
        return { map { my $n = $_->{name}; utf8::decode($n); $n => $_->{status} ? JSON::PP::true : JSON::PP::false }
                $client->list() };
    },
    put => sub { my ($r) = @_; $client->put(octets($r->{name}), decode_base64($r->{script})); return },
    activate => sub { $client->activate(octets($_[0]{name})); return },
    get => sub { return encode_base64($client->get(octets($_[0]{name})), '') },
    delete => sub { $client->delete(octets($_[0]{name})); return },
    close => sub { die "not OK\n" unless $client->sfinish(); return },
);

$| = 1;
while (my $line = <STDIN>) {
    my $request = decode_json($line);
    # What goes wrong, this library warns of, and says that it is done.
    local $SIG{__WARN__} = sub { die @_ if $_[0] =~ /failed|violat|Unhandled|not permitted/ };
    my $value = eval { $calls{ $request->{do} }->($request) };
    print encode_json($@ ? { refused => "$@" } : { value => $value }), "\n";
}
