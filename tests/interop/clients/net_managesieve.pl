# Net::ManageSieve behind lines of JSON: a request on standard input, its answer on standard output.
use strict;
use warnings;
use Authen::SASL;
use JSON::PP;
use MIME::Base64;
use Net::ManageSieve;

my $client;

sub told { my ($done) = @_; die $client->error() . "\n" unless $done; return $done }

sub octets { my ($text) = @_; utf8::encode($text); return $text }

my %calls = (
    open => sub {
        my ($r) = @_;
        my $tls = $r->{tls} eq 'starttls' ? { mode => 'require', SSL_ca_file => $r->{authority} } : undef;
        $client = Net::ManageSieve->new('localhost', Port => $r->{port}, tls => $tls) or die "$@\n";
        my ($user, $password) = map { octets($_) } @$r{'user', 'password'};
        my @who = ($user, $password);
        if ($r->{mechanism}) {
            my %say = (user => $user, authname => '', pass => $password, password => $password);
            @who = (Authen::SASL->new(mechanism => $r->{mechanism}, callback => \%say));
        }
        told($client->login(@who));
        return;
    },
    list => sub {
        my @found = @{ told($client->listscripts()) };
        my $active = pop @found;
        return { map { $_ => $_ eq $active ? JSON::PP::true : JSON::PP::false } @found };
    },
    put => sub {
        my ($r) = @_;
        my $script = decode_base64($r->{script});
        utf8::decode($script);
        told($client->putscript(octets($r->{name}), $script));
        return;
    },
    activate => sub { told($client->setactive(octets($_[0]{name}))); return },
    get => sub {
        my $script = told($client->getscript(octets($_[0]{name})));
        utf8::encode($script);
        return encode_base64($script, '');
    },
    delete => sub { told($client->deletescript(octets($_[0]{name}))); return },
    close => sub { told($client->logout()); return },
);

$| = 1;
while (my $line = <STDIN>) {
    my $request = decode_json($line);
    my $value = eval { $calls{ $request->{do} }->($request) };
    print encode_json($@ ? { refused => "$@" } : { value => $value }), "\n";
}
