<?php
// Net_Sieve behind lines of JSON: a request on standard input, its answer on standard output.
error_reporting(E_ALL & ~E_DEPRECATED);
ini_set('display_errors', 'stderr');
require_once 'Net/Sieve.php';

$client = new Net_Sieve();

function told($done)
{
    if (is_a($done, 'PEAR_Error')) {
        throw new Exception($done->getMessage());
    }
    return $done;
}

$calls = [
    'open' => function ($r) use ($client) {
        $context = ['cafile' => $r['authority'], 'peer_name' => 'localhost'];
        if ($r['key']) {
            $context['local_cert'] = $r['key'];
        }
        $host = ($r['tls'] === 'connect' ? 'ssl://' : '') . 'localhost';
        told($client->connect($host, $r['port'], ['ssl' => $context], $r['tls'] === 'starttls'));
        $password = ($r['mechanism'] === 'XOAUTH2' ? 'Bearer ' : '') . $r['password'];
        told($client->login($r['user'], $password, $r['mechanism'] ?: null));
    },
    'list' => function () use ($client) {
        $active = null;
        $names = told($client->listScripts($active));
        $found = new stdClass();
        foreach ($names as $name) {
            $found->$name = $name === $active;
        }
        return $found;
    },
    'put' => function ($r) use ($client) {
        told($client->installScript($r['name'], base64_decode($r['script'])));
    },
    'activate' => function ($r) use ($client) { told($client->setActive($r['name'])); },
    'get' => function ($r) use ($client) { return base64_encode(told($client->getScript($r['name']))); },
    'delete' => function ($r) use ($client) { told($client->removeScript($r['name'])); },
    'close' => function () use ($client) { told($client->disconnect()); },
];

while (($line = fgets(STDIN)) !== false) {
    $request = json_decode($line, true);
    try {
        $answer = ['value' => $calls[$request['do']]($request)];
    } catch (Exception $e) {
        $answer = ['refused' => $e->getMessage()];
    }
    echo json_encode($answer, JSON_INVALID_UTF8_SUBSTITUTE), "\n";
}
