"""The names, phrases and sentence templates that the sample corpus is composed from.

All of it was written for this package: persons, clubs, companies and towns are put together
from parts, and any likeness to real ones is chance.

A template is a row of items with spaces between. ``word/TAG`` carries its part of speech;
without one, ``WORD_TAGS`` is asked, then digits and punctuation are recognised, and what is
left is a noun (``NN``). ``a|b|c/TAG`` is a choice between words. ``{slot}`` is filled in by the
generator or with one of the ``PHRASES``; ``{slot|other}`` chooses a slot. A digit at the end of
a slot's name keeps the filling for the rest of the document: ``{per1}`` is one person there,
``{sur1}`` the same person's surname, ``{nat1}`` the adjective of ``{country1}``, and so on.
"""

from __future__ import annotations

from typing import NamedTuple


class Parts(NamedTuple):
    """Pieces of names: those of every split, and those kept for dev and test."""

    common: tuple[str, ...]
    reserved: tuple[str, ...]


class Genre(NamedTuple):
    """One kind of document: headlines (printed in capitals) and sentences of the body."""

    headlines: tuple[str, ...]
    body: tuple[str, ...]
    reserved: tuple[str, ...]  # sentences of dev and test only


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.replace("_", " ") for word in text.split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().split("\n"))


# ---------------------------------------------------------------- parts of names

FIRST_NAMES = Parts(
    _words("""Anna Marek Grace Petra Maria Tomas Rose Will Elena Oskar Ruth Danilo Ingrid
    Paulo Hanna Gerrit Lucía Viktor Nadia Ottilie Clarisse René Amara Jonas Hope Silvan Yuki
    Karim Jean-Paul Sofia Davor Helka Piotr Leila Marta Kofi Alys Bruno April"""),
    _words("""Ewan Beatriz Zoë Matteo Farid Dagmar Colm Ines Anders Joy Milan Anne-Marie Tariq
    Pavel Dawn Henrik"""),
)
SURNAMES = Parts(
    _words("""Veldt Okaro Lindqvest Morel Sandoval Petrak Yamura Osei-Bonnar Kowalek Ferrand
    Díaz-Lund Novotna Bergmark Hadouri Price Banks Rivers May Marsh Field Winter
    Harbour Storm O'Brannon Castel Mbeyi Tanaro Grieve Lund Müllner Rook van_Hessel de_Souto"""),
    _words("""Szabik Quinlow Ibarrez Achterman Fields Waters Hill Walker Nakaya Öberg Delmarre
    Vukovar-Lind Ruzic Thackery McAllan van_der_Rook Snow Popelka"""),
)
HEADS = Parts(
    _words("Hart Mar Wes Tarn Kel Brack Hol Dun Thorn Whit Ald Ash"),
    _words("Fen Quar Lang Pem Rud Sel"),
)
SHARED_TAILS = _words("field low ton by wick ford ley")  # of towns and of surnames
SURNAME_TAILS = _words("man son well er sen")
TOWN_TAILS = _words("mouth haven bridge ville borough sea")
TOWNS = Parts(
    _words("""Sorvane Kestra Port_Velan San_Tereno Nova_Brise Lac-Déry Østermark Malmerud Tirov
    Abara Zelin Karsten New_Orford East_Tarrow Bonavale Ilmen Dravik Saint-Aubrey Jordan_Bay
    Lincombe Grantsea Mount_Hadley"""),
    _words("""Oruba Vesterlund Santa_Clavia Cape_Morrow Trebizov Yarrabin Pont-Mérin Kuvala
    Nagashi Little_Farrow Gorlitsa Belcastro"""),
)
COUNTRIES = Parts(
    _words("""France/French Spain/Spanish Sweden/Swedish Japan/Japanese Kenya/Kenyan
    Brazil/Brazilian Canada/Canadian Egypt/Egyptian Norway/Norwegian Veland/Velandic
    Kestria/Kestrian Morania/Moranian Ardenia/Ardenian Karvistan/Karvistani America/American
    Britain/British"""),
    _words("""Portugal/Portuguese Finland/Finnish Chile/Chilean Zandoria/Zandorian
    Lorrenia/Lorrenian Peru/Peruvian Sundavia/Sundavian Ostravia/Ostravian"""),
)
REGIONS = Parts(  # with an article
    _words("North_Sea Alps Velan_Valley Marlow_Hills River_Tarn Eastern_Plain"),
    _words("South_Pacific Quarley_Forest Pemford_Moor River_Sel"),
)
AREAS = Parts(
    _words("Europe Asia Africa Lake_Tirov Kelson_Island Upper_Velan"),
    _words("Lake_Ilva Mount_Quarley South_America"),
)
LANGUAGES = Parts(
    _words("English French Spanish Swedish Arabic Velandic Kestrian Low_Tarnish"),
    _words("Portuguese Finnish Lorrenian Old_Selic"),
)
BRANDS = Parts(
    _words("Vant Orb Tell Nor Cal Syn Brigh Med Sten Sol"), _words("Kry Lum Dex Pol Zan")
)
BRAND_TAILS = _words("ex ix ara ona is eron")
FIRM_SUFFIXES = Parts(
    _words("""Corp Ltd Group Bank Holdings Motors Airlines Foods Inc Co Insurance Steel
    Energy Systems &_Sons"""),
    _words("Plc Shipping Pharmaceuticals Partners Railways &_Co"),
)
CLUB_SUFFIXES = Parts(
    _words("United City Rovers Wanderers Athletic Town"), _words("Albion Rangers Harriers")
)
CLUB_PREFIXES = Parts(_words("Dynamo Real Sporting FC"), _words("Racing Olympic"))
BODIES = Parts(
    _words("""Finance_Ministry Foreign_Ministry Central_Bank Supreme_Court Senate Coast_Guard
    Farmers_'_Union NRC UTW SBA KTV National_Weather_Office World_Grain_Council Red_Lantern"""),
    _words("""Trade_Ministry Court_of_Appeal BDRA Seamen_'s_League Food_Safety_Agency
    Rivers_Trust EPK"""),
)
PARTIES = Parts(
    _words("Reform_Party Green_Union National_League Labour_Alliance People_'s_Front RPM"),
    _words("Civic_Union Democratic_Left Farmers_Party"),
)
PAPERS = Parts(
    _words("Gazette Herald Morning_Post Tribune Evening_News"), _words("Courier Sentinel")
)
EVENT_TAILS = Parts(
    _words("Open Marathon Grand_Prix Cup Classic Games Masters"), _words("Derby Regatta")
)
EVENTS = Parts(
    _words("World_Cup Winter_Games Premier_League Continental_Cup"),
    _words("Champions_Trophy Island_Games"),
)
FESTIVAL_TAILS = Parts(_words("Festival Book_Fair Film_Week"), _words("Biennale Carnival"))
HOLIDAYS = Parts(_words("Easter Ramadan Christmas Harvest_Day"), _words("New_Year Hanukkah"))
ADHERENTS = Parts(
    _words("Liberal Christian Moslem Socialist Buddhist"), _words("Conservative Hindu Marxist")
)
TITLES = Parts(
    _words("""The_Long_Harbour Winter_in_Sorvane A_Field_of_Glass The_Baker_'s_Wife Grey_Monday
    Letters_to_Marta Rivers The_Ninth_Door Northern_Songs"""),
    _words("The_Salt_Road Hill_of_Birds An_Honest_Price Last_Train_to_Kuvala Waters"),
)
PRODUCT_TAILS = Parts(_words("300 X2 Pro 747 II 9000 XL"), _words("Mini 500 Plus T-4"))
AWARDS = Parts(_words("Prize Medal Award"), _words("Fellowship Trophy"))

# ---------------------------------------------------------------- other words

DAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
MONTHS = _words("January February March April May June July August September October November")
ROLES = Parts(
    _words("""spokesman spokeswoman striker captain analyst minister professor editor lawyer
    actress economist pilot goalkeeper coach president senator painter chairman"""),
    _words("trader midwife composer ambassador defender geologist"),
)
WORD_TAGS = {
    word: tag
    for tag, words in {
        "DT": "the a an this that these those no some all another both every any each",
        "IN": """in of on at by for from with after before against between over under near as
            into during since than because although while if whether about through without
            despite until across among behind along""",
        "TO": "to",
        "CC": "and or but",
        "MD": "will would could may should can must might",
        "VBD": "said was were had did",
        "VBZ": "is has does",
        "VBP": "are have do",
        "VB": "be",
        "VBN": "been",
        "RB": "not n't also now there again only still later never ago already nearly once",
        "PRP": "he she it they him them we i who",
        "PRP$": "his her its their our my",
        "CD": "one two three four five six seven eight nine ten million billion",
        "JJ": "last next new old first second third former local late early other many few",
        "NNS": """shares people points reporters officials years analysts workers talks police
            sales prices profits fans voters""",
        "WRB": "when where",
        "WDT": "which",
        "POS": "'s",
    }.items()
    for word in words.split()
}

PHRASES: dict[str, tuple[str, ...]] = {
    "place": _lines("""{town}
        {town}
        {country}
        {town} , {country}"""),
    "when": _lines("""on {day}
        on {day}
        late/RB on {day}
        in {month}
        last week
        this week
        on {month} {dom}
        earlier/RBR this year"""),
    "someone": _lines("""{per}
        {per}
        {role} {per}
        {nat} {role} {per}
        {per} , a {role} from {place} ,
        {sur}
        {per} of {firm|academy}
        the {role} , {per} ,"""),
    "group": _lines("""{firm}
        {firm}
        {short}
        {academy}
        the {body}
        the {nat} {body}"""),
    "says": _lines("""said
        told/VBD reporters {when}
        told/VBD the {paper}
        told/VBD the {body}
        wrote/VBD in the {paper}"""),
    "academy": _lines("""{uni}
        the {university}"""),
    "amount": _lines("""$ {n} million
        {n} million crowns/NNS
        {n} million {us} dollars/NNS"""),
    "any": _lines("""{per}
        {place}
        {group}
        {club}"""),
}

# ---------------------------------------------------------------- sentences

GENERAL = _lines("""
    " {quote} , " {someone} {says} .
    {someone} {says} that {quote} .
    but {someone} could n't be reached/VBN for comment {when} .
    the {paper} , which first reported/VBD the story , is based/VBN in {town} .
    prices|costs|hopes|fears/NNS are rising|falling|growing/VBG again , {someone} {says} .
    {per} was born|raised|educated/VBN in {place} and speaks/VBZ {lang} .
    officials in {place} gave/VBD no details/NNS .
    no one from {group} was there {when} .
    {any} was mentioned|praised|criticised/VBN in the report .
    reporters asked/VBD about {any} , but {sur1} did n't answer/VB .
    the {role} from {place} and the {role} from {place} met|spoke|dined/VBD {when} .
    what/WP {someone} wants/VBZ is another vote in {month} , not an apology to {any} .
    asked/VBN about {place} , {sur1} smiled|shrugged|left/VBD .
    may/MD {sur} succeed/VB where {sur} failed/VBD , the {paper} said .
    the letter , dated/VBN {month} {dom} , {year} , was sent/VBN from {place} to {group} .
    until {year} {place} had no {lang} newspaper of its own/JJ .
    {per} and {per} will speak/VB at {academy} {when} .
    most/JJS of it had been known/VBN since {month} .
    {month} was the worst/JJS month in {n} years for {any} .
    """)
PHRASES["quote"] = _lines("""we are ready|happy|sorry/JJ
    {place} needs/VBZ help
    it was a mistake
    they do n't know/VB what/WP {sur} wants/VBZ
    {group} will not pay/VB
    nobody in {town} believes/VBZ it
    {sur} should resign|stay|explain/VB
    the {nat|adherent} voters are angry|tired/JJ
    winter will be hard/JJ
    banks/NNS must lend/VB again
    the price is too/RB high/JJ
    """)

GENRES: dict[str, Genre] = {
    "football": Genre(
        _lines("""soccer - {club1} beat/VBD {club2} {score} .
            soccer - {nat} league results/NNS .
            soccer - {sur1} saves|lifts|leaves/VBZ {club1} ."""),
        _lines("""{club1} beat|defeated|thrashed/VBD {club2} {score} {when} .
            {club1} {goals} {club2} {goals}
            {club} {goals} {club} {goals}
            {club} {club} {draw|score}
            {day} 's games/NNS : {club} {club} , {club} {club}
            {per1} scored/VBD twice/RB for {club1} in the {minute} minute .
            {sur1} , who joined/VBD from {club} {when} , was booked|injured|cheered/VBN .
            {club2} coach {per} blamed/VBD the pitch in {town} .
            scorers/NNS : {sur} {minute} , {sur} {minute}
            {club} signed/VBD {nat} {role} {per} from {club} for {amount} .
            fans of {club1} travelled/VBD to {town} by train .
            {country} drew/VBD {draw} with {country} in a {event} qualifier at {town} .
            the {nat} champions/NNS , {club} , play/VBP {club} in the {event} .
            defender|captain|striker {sur} gave/VBD {club2} the lead .
            goals/NNS by {sur} and {per} put/VBD {club} top/JJ .
            referee {per} ( {country} ) sent/VBD {sur1} off/RP .
            standings/NNS : {club} {n} points , {club} {goals}"""),
        _lines("""without {sur} , {club} lost/VBD at home to {club} .
            {club} host/VBP {club} while {club} travel/VBP to {club} .
            {town} was quiet/JJ before the match , and {club1} looked/VBD nervous/JJ ."""),
    ),
    "sport": Genre(
        _lines("""tennis - {sur1} wins/VBZ {event} .
            cycling - {event} results/NNS ."""),
        _lines("""{rank} {per} ( {country} ) {time}
            {per} ( {country} ) beat/VBD {per} ( {country} ) {sets}
            {rank} {per} {per} ( {country} ) {time}
            stage {goals} , {town} {town} , {n} km
            {rank} {per} {country} {time}
            {sur1} won/VBD the {event} in {place} {when} .
            {per1} , the {nat} {event} champion , lost/VBD to {sur} .
            {nat} {role} {per} broke/VBD the record at the {event} .
            the {event} returns|moves/VBZ to {town} in {month} .
            injury kept/VBD {sur} out/RP of the {event} .
            second seed {per} of {country} beat/VBD {sur1} {sets} .
            {sur} rode/VBD for {firm} before a move to {short} .
            rain stopped/VBD play with {sur} leading/VBG {sur} {sets} .
            {country} leads/VBZ {country} by {few} points after the first day .
            leading/VBG scores/NNS after the third round in {town} :"""),
        _lines("""at the {event} , {sur} and {per} shared/VBD the lead .
            {n} {per} , {per} , {n} {per} {per}
            " I love/VBP {town} , " said {sur1} , " and the {event} is special/JJ . \""""),
    ),
    "company": Genre(
        _lines("""{short1} profits rise|fall/VBP .
            {firm1} to/TO buy/VB {firm} .
            {nat} shares end/VBP higher/RBR ."""),
        _lines("""{firm1} said {when} its profit rose|fell/VBD to {amount} .
            {short1} said it would close/VB a plant in {place} .
            shares in {short1} climbed|slid|closed/VBD at {n} crowns/NNS .
            {firm} , a unit of {firm} , makes/VBZ the {product} .
            {per1} , chief executive of {short1} , resigned/VBD {when} .
            {short} and {short} are in talks about a merger , the {paper} said .
            analysts at {firm} cut/VBD their forecast for {short1} .
            {sur1} owns/VBZ {n} percent of {firm} .
            sales of the {product} in {country|area} were weak|strong/JJ .
            {firm} agreed/VBD to buy/VB {nat} rival {firm} for {amount} .
            the {nat} company hired/VBD {per} from {firm} .
            banks/NNS led/VBN by {firm} lent/VBD {amount} to {short1} .
            {us} officials/NNS must approve/VB the deal .
            {based} {firm} employs/VBZ {n} people .
            {short1} 's {product} competes/VBZ with the {product} from {short} .
            turnover {n} million vs/IN {n} million"""),
        _lines("""workers at {short} walked/VBD out/RP after {sur} refused/VBD to meet/VB them .
            {firm} , {firm} and {firm} bid/VBD for the {town} airport .
            {sur1} founded/VBD {short1} in a garage in {town} ."""),
    ),
    "politics": Genre(
        _lines("""{party1} wins/VBZ {town} vote .
            {nat1} president names/VBZ cabinet ."""),
        _lines("""{country1} votes/VBZ {when} after a campaign led/VBN by the {party1} .
            {party1} leader {per1} {says} that {quote} .
            the {party1} won/VBD {n} seats/NNS and the {party} {n} .
            president {sur1} appointed|dismissed/VBD {per} as finance minister .
            {adherent} deputies/NNS walked/VBD out/RP of the {body} in {town} .
            {sur1} , a {adherent} , was elected/VBN in {town} in {year} .
            {nat1} prime minister {per} flew/VBD to {country} for talks with {sur1} .
            {country1} and {country} signed/VBD the {treaty} in {year} .
            a poll in the {paper} gave/VBD {sur1} {n} percent .
            the {party} accused/VBD the {party1} of fraud in {place} .
            voters in {town} queued/VBD from dawn .
            {nat} and {nat} troops/NNS left/VBD {area|town} {when} .
            the {body} rejected/VBD an appeal by {per} .
            the {us} and {country1} blamed/VBD each other for the delay .
            relations/NNS between {country1} and {country} have been cool/JJ since {month} .
            {town} said it would not send/VB a delegation to {town} .
            taxes/NNS will rise/VB , {sur1} {says} ."""),
        _lines("""once a {adherent} , {sur} now leads/VBZ the {party} in {area} .
            {sur1} ? {nat1} voters shrug/VBP .
            the {nat} embassy in {town} was closed/VBN {when} ."""),
    ),
    "travel": Genre(
        _lines("""summer in {town1} .
            {nat} trains/NNS run/VBP late/RB ."""),
        _lines("""{town1} lies/VBZ near the {region} , {n} km from {town} .
            trains/NNS from {town1} to {town} take/VBP {few} hours/NNS .
            {firm} flies/VBZ from {town} to {town1} {when} .
            visitors/NNS from {country} and {country} fill/VBP the hotels/NNS in {month} .
            the {nat} chef {per1} runs/VBZ a small/JJ restaurant in {town1} .
            guides/NNS speak/VBP {lang} and {lang} .
            " in {town1} everybody knows/VBZ {sur} , " {sur1} {says} .
            rivers/NNS here/RB flood/VBP every spring .
            in {month} the {festival} brings/VBZ crowds/NNS to {town1} .
            {sur1} drives/VBZ an old {product} through {area|town} .
            north of {town} the road crosses/VBZ the {region} .
            the museum , built/VBN by {per} in {year} , shows/VBZ {nat} glass .
            take/VB the ferry to {town} , then/RB a bus to {town} .
            {academy} rents/VBZ rooms/NNS to travellers/NNS in {month} .
            {month} rain , May/NNP flowers/NNS : the {town1} road is dry/JJ .
            winter is the best/JJS season in {town1} ."""),
        _lines("""nothing moves/VBZ in {town} when it snows/VBZ in the {region} .
            ask/VB for {sur} at the {town} harbour .
            walks/NNS around/IN {town} end/VBP at a house where {per} once lived/VBD ."""),
    ),
    "science": Genre(
        _lines("""{nat} scientists/NNS find/VBP new planet .
            {uni1} tests/VBZ vaccine ."""),
        _lines("""researchers/NNS at {uni1} found/VBD the virus in {place} .
            {per1} of {uni1} {says} that {quote} .
            the study by {sur1} and {sur} appeared/VBD in the {paper} {when} .
            samples/NNS from the {region} were sent/VBN to {academy} .
            {firm} paid/VBD for the trial , which ended/VBD in {month} .
            fields/NNS in {country} were hit/VBN by the disease in {year} .
            dr. {per} joined/VBD {uni1} from {firm|academy} .
            the {product} telescope in {place} saw/VBD the comet {when} .
            {sur1} won/VBD the {award} in {year} .
            a {nat} team led/VBN by {per} repeated/VBD the test .
            stone tools/NNS were found/VBN near {town} by {nat} students/NNS .
            the {body} wants/VBZ to ban/VB the drug , sold/VBN as {product} .
            {uni1} is older/JJR than {academy} .
            {sur} , {sur} and {sur} signed/VBD the letter .
            levels/NNS of lead in the {region} rose/VBD by {n} percent ."""),
        _lines("""what/WP {sur} measured/VBD , {academy} later confirmed/VBD .
            the {award} went/VBD to {per} for work on {nat} glaciers/NNS .
            {short} says/VBZ the {product} is safe/JJ ; {sur1} disagrees/VBZ ."""),
    ),
    "obituary": Genre(
        _lines("""{nat} {role} {sur1} dies/VBZ at {n} .
            {per1} , {role} , is dead/JJ ."""),
        _lines("""{per1} , the {nat} {role} , died/VBD in {place} {when} .
            {sur1} was {n} .
            born/VBN in {town} in {year} , {sur1} studied/VBD at {academy} .
            {sur1} joined/VBD the {party} in {year} .
            the first book , " {title} , " was banned/VBN in {country} .
            {sur1} fought/VBD in the {war} and lived/VBD in {place} .
            " {title} " won/VBD the {award} in {year} .
            {sur1} married/VBD the {role} {per} in {year} .
            for {n} years {sur1} worked/VBD for {firm} in {town} .
            a son , {per} , lives/VBZ in {place} .
            {per} called/VBD {sur1} " the last {nat} {role} " .
            field hands/NNS and ministers/NNS came/VBD to the funeral in {town} .
            {sur1} played/VBD for {club} and {club} before the {war} .
            the {paper} wrote/VBD that {sur1} never forgave/VBD {sur} .
            friends/NNS in {area|town} will remember/VB {sur1} ."""),
        _lines("""of {sur1} 's early years in {town} little/JJ is known/VBN .
            {sur1} left/VBD {club} for {firm} in {year} .
            " {title} " made/VBD {sur} famous/JJ from {town} to {town} ."""),
    ),
    "culture": Genre(
        _lines("""{festival} opens/VBZ in {town1} .
            {nat} film wins/VBZ {award} ."""),
        _lines("""" {title} , " a {nat} film by {per1} , opens/VBZ {when} .
            {sur1} also directed/VBD " {title} " .
            the {festival} in {town1} ends/VBZ {when} .
            {short} will sell/VB the {product} from {month} .
            critics/NNS in {country} hated/VBD " {title} " .
            singer|author|dancer {per} sued/VBD {firm} over " {title} " .
            the novel , set/VBN in {town} , was translated/VBN from {lang} .
            {firm} paid/VBD {amount} for rights/NNS to {sur1} 's story .
            {nat} music fills/VBZ the streets/NNS of {town1} during {holiday} .
            {sur} plays/VBZ a {role} in love with a {adherent} priest .
            remember/VB the date : {per} returns/VBZ to {town1} on {month} {dom} .
            tickets/NNS at the {paper} offices/NNS in {town} and {town} .
            the {award} jury , led/VBN by {per} , met/VBD {when} .
            a {product} costs/VBZ $ {n} at {firm} stores/NNS ."""),
        _lines("""in " {title} , " {sur} goes/VBZ home to {town} .
            readers/NNS of {lang} poetry know/VBP {sur1} .
            {short} calls/VBZ its new phone {product} ."""),
    ),
    "accident": Genre(
        _lines("""{n} dead/JJ in {town1} fire .
            storm hits/VBZ {country1} ."""),
        _lines("""at least/JJS {n} people died/VBD when a {nat} ferry sank/VBD near {town1} .
            a {firm} flight from {town} to {town1} was delayed/VBN by fog .
            police in {town1} arrested/VBD {per1} {when} .
            {sur1} told/VBD the {body} that {quote} .
            floods/NNS cut/VBD the road between {town1} and {town} .
            the {body} sent/VBD tents/NNS to {area|town|country} .
            the pilot , {per} , {n} , survived/VBD .
            winds/NNS from the {region} reached/VBD {n} km .
            a court in {town1} jailed/VBD {sur1} for {n} years .
            the driver of the {product} , a {nat} , was unhurt/JJ .
            marsh fires/NNS burned/VBD near {town} and {town} .
            {body} spokesman {per} {says} that {quote} .
            rescuers/NNS from {country} and {country} arrived/VBD {when} .
            schools/NNS in {town1} will open/VB after {holiday} .
            {firm} said its {product} trains/NNS were safe/JJ ."""),
        _lines("""the ship , owned/VBN by {short} , left/VBD {town} with {sur1} aboard/RB .
            {town1} has no hospital , and {town} is far/RB .
            neighbours/NNS said {sur} had worked/VBN for {short} ."""),
    ),
}
