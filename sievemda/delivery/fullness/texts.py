"""The words of our own about full mailboxes, by language: a template each for a level and for what is over its limit.

`hint` and `nothing` fill the placeholder {hint}, the three of `refusal` the placeholder {refusal}, as `template` says.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Texts:
    level: str
    over: str
    messages: tuple[str, str]  # what is counted when it is not octets: one, and any other number of them
    folders: tuple[str, str]
    hint: str  # the folder that holds the most
    waits: str  # what becomes of mail that is refused: the sender tries again
    returns: str  # it goes back
    until: str  # the first until {time}, then the second


_EN = Texts(
    level="""Subject: Mailbox {root} is {percent} full

The mailbox {root} holds {used}, and its limit is {limit}.

When nothing is left, no more mail will be taken. Please remove what you no longer need.

{hint}
""",
    over="""Subject: Mailbox {root} is full: mail is being refused

The mailbox {root} holds {used}, and its limit is {limit}.

New messages are being refused. {refusal}

Please remove what you no longer need.

{hint}
""",
    messages=("message", "messages"),
    folders=("folder", "folders"),
    hint="The folder {folder} holds {size}.",
    waits="Their senders' servers try again for some time, so most of them will arrive once there is room.",
    returns="They go back to their senders.",
    until="Until {time} their senders' servers try again; after that they go back to their senders.",
)
_DE = Texts(
    level="""Subject: Postfach {root} ist zu {percent} voll

Das Postfach {root} enthält {used}, erlaubt sind {limit}.

Wenn nichts mehr frei ist, wird keine Post mehr angenommen. Bitte löschen Sie, was Sie nicht mehr brauchen.

{hint}
""",
    over="""Subject: Postfach {root} ist voll: Post wird abgewiesen

Das Postfach {root} enthält {used}, erlaubt sind {limit}.

Neue Nachrichten werden abgewiesen. {refusal}

Bitte löschen Sie, was Sie nicht mehr brauchen.

{hint}
""",
    messages=("Nachricht", "Nachrichten"),
    folders=("Ordner", "Ordner"),
    hint="Der Ordner {folder} enthält {size}.",
    waits="Die Server der Absender versuchen es noch eine Zeit lang, so dass die meisten eintreffen, sobald Platz ist.",
    returns="Sie gehen an ihre Absender zurück.",
    until="Bis {time} versuchen es die Server der Absender weiter; danach gehen sie an ihre Absender zurück.",
)
_ES = Texts(
    level="""Subject: El buzón {root} está lleno al {percent}

El buzón {root} contiene {used} y su límite es {limit}.

Cuando no quede espacio, no se aceptará más correo. Elimine lo que ya no necesite.

{hint}
""",
    over="""Subject: El buzón {root} está lleno: se rechaza el correo

El buzón {root} contiene {used} y su límite es {limit}.

Se están rechazando los mensajes nuevos. {refusal}

Elimine lo que ya no necesite.

{hint}
""",
    messages=("mensaje", "mensajes"),
    folders=("carpeta", "carpetas"),
    hint="La carpeta {folder} contiene {size}.",
    waits="Los servidores de los remitentes lo intentan durante un tiempo; la mayoría llegará cuando haya espacio.",
    returns="Se devuelven a sus remitentes.",
    until="Hasta {time} los servidores de los remitentes lo siguen intentando; después se devuelven a sus remitentes.",
)
_FR = Texts(
    level="""Subject: La boîte aux lettres {root} est pleine à {percent}

La boîte aux lettres {root} contient {used}, la limite est de {limit}.

Quand il n'y aura plus de place, aucun message ne sera accepté. Supprimez ce dont vous n'avez plus besoin.

{hint}
""",
    over="""Subject: La boîte aux lettres {root} est pleine : des messages sont refusés

La boîte aux lettres {root} contient {used}, la limite est de {limit}.

Les nouveaux messages sont refusés. {refusal}

Supprimez ce dont vous n'avez plus besoin.

{hint}
""",
    messages=("message", "messages"),
    folders=("dossier", "dossiers"),
    hint="Le dossier {folder} contient {size}.",
    waits="Les serveurs des expéditeurs réessaient quelque temps : la plupart arriveront quand il y aura de la place.",
    returns="Ils sont renvoyés à leurs expéditeurs.",
    until="Jusqu'au {time} les serveurs des expéditeurs réessaient ; ensuite ils sont renvoyés à leurs expéditeurs.",
)
_IT = Texts(
    level="""Subject: La casella {root} è piena al {percent}

La casella {root} contiene {used}, il limite è {limit}.

Quando non ci sarà più spazio, nessun messaggio sarà accettato. Elimini ciò che non le serve più.

{hint}
""",
    over="""Subject: La casella {root} è piena: la posta viene respinta

La casella {root} contiene {used}, il limite è {limit}.

I nuovi messaggi vengono respinti. {refusal}

Elimini ciò che non le serve più.

{hint}
""",
    messages=("messaggio", "messaggi"),
    folders=("cartella", "cartelle"),
    hint="La cartella {folder} contiene {size}.",
    waits="I server dei mittenti riprovano per qualche tempo: la maggior parte arriverà appena ci sarà spazio.",
    returns="Tornano ai loro mittenti.",
    until="Fino al {time} i server dei mittenti riprovano; dopo tornano ai loro mittenti.",
)
_NL = Texts(
    level="""Subject: Mailbox {root} is voor {percent} vol

De mailbox {root} bevat {used}, de limiet is {limit}.

Als er niets meer vrij is, wordt er geen mail meer aangenomen. Verwijder wat u niet meer nodig hebt.

{hint}
""",
    over="""Subject: Mailbox {root} is vol: mail wordt geweigerd

De mailbox {root} bevat {used}, de limiet is {limit}.

Nieuwe berichten worden geweigerd. {refusal}

Verwijder wat u niet meer nodig hebt.

{hint}
""",
    messages=("bericht", "berichten"),
    folders=("map", "mappen"),
    hint="De map {folder} bevat {size}.",
    waits="De servers van de afzenders proberen het nog een tijd; de meeste komen aan zodra er ruimte is.",
    returns="Ze gaan terug naar hun afzenders.",
    until="Tot {time} proberen de servers van de afzenders het opnieuw; daarna gaan ze terug naar hun afzenders.",
)
_LANGUAGES = {"en": _EN, "de": _DE, "es": _ES, "fr": _FR, "it": _IT, "nl": _NL}


def spoken(language: str) -> str:
    """The language in which we say it: that one, the one it is a variant of, or English."""
    name = language.lower().partition("-")[0]
    return name if name in _LANGUAGES else "en"


def texts(language: str) -> Texts:
    return _LANGUAGES[spoken(language)]
