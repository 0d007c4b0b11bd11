"""Words common in all papers ("approach", "novel", "results").

Belongs here: the list. Does not belong here: English function words (`function_words.py`).
"""

from __future__ import annotations

_WORDS = """
ability able academic accurate accurately achieve achieved achieves achieving across actual
addition additional additionally address addresses addressing advance advanced advancement
advances advancing advantage aim aims al align allow allowing allows already also alternative
among analyses analysis analyze application applications applied apply applying approach
approaches approximately area argue art aspect aspects assess assessment available average avoid
aware away base based baseline baselines benefit best better bridge bring broad broader build
building called capabilities capability capable capture captures capturing case cases challenge
challenges challenging change changes choose clear close com combine combined combines combining
common commonly comparable compared comparison competitive complementary complete complex
complexity component components comprehensive compute condition conduct conducted consider
consistent consistently construct contain containing contains contrast contribute contribution
contributions conventional core corresponding cost create created creating critical cross crucial
current currently degree deliver demand demonstrate demonstrated demonstrates demonstrating depend
depending derive derived description design designed despite detail detailed details determine
develop developed developing development difference different difficult difficulty dimension
direction directly distinct diverse does downstream draw dual due dynamically easily effect
effective effectively effectiveness effects efficiency efficient efficiently eg element emerge
emerged emerging empirical employ employed employing employs enable enabled enables enabling end
enhance enhanced enhances enhancing ensure ensures ensuring especially essential establish et etc
evaluate evaluated evaluating evaluation evaluations evidence example exhibit exhibits existing
experience experiment experimental experiments explicit explicitly explore exploring extend
extended extends extensive extensively extract facilitate factor factors fail far feasible feature
features field finally finding findings fine focus focuses following form forms formulate
framework frameworks free fully function functions fundamental furthermore future gain gains gap
general generally generate generated generating github given global goal good grained great
greater greatly growing guide guided handle help high higher highlight highlighting highlights
highly hold http https hugging huggingface identified identify identifying ii iii impact implement
implementation importance important improve improved improvement improvements improves improving
include includes including incorporate incorporating increase increased increasing increasingly
individual inherent input inputs insight insights inspired instead integrate integrated integrates
integrating integration introduce introduced introduces introducing investigate involve io issue
issues jointly just key known lack large largely largescale latest lead leading leads level levels
leverage leverages leveraging like limit limitation limitations limited limiting limits little low
lower main maintain maintaining major make makes making match means measure mechanism mechanisms
meet method methodologies methodology methods minimal mitigate model models modern module modules
moreover multi multiple nature necessary need needed needs new non notably novel number numerous
objective observation observe obtain obtained obtaining offer offering offers opens opportunity
optimal order org original outperform outperforming outperforms output outputs overall overcome
page pair paper papers paradigm particular particularly pattern percentage perform performance
performed performing performs perspective pipeline play plays points poor popular possible
potential potentially powerful practical pre precise predict present presented presents previous
previously primarily prior problem problems process processes produce produces producing progress
project promising property propose proposed proposes proposing prove provide provided provides
providing public publicly quality range rapid rapidly rate rather ratio reach reached reaching
ready real realistic recent recently reduce reduced reduces reducing regarding related
relationship release released relevant reliability reliable relies rely relying remain remains
remarkable report represent representing require required requirement requires requiring research
researchers respect respectively result resulting results reveal reveals rich robust robustness
role sample scalable scale scenario scenarios score scores second select selected selecting
sensitive serve set setting settings several short show showed showing shown shows significant
significantly similar simple simply simultaneously single size small solution solutions solve
solving sota source specialized specific specifically stage standard start state step strategies
strategy strong structure struggle studies study sub substantial substantially success suffer
suggest suitable suite superior support supporting surpass surpasses surpassing systematic
systematically tackle tailored target task tasks technique techniques term terms themselves
thereby therefore thorough thoroughly total towards traditional traditionally train trained
training tuned tuning type types typically ultimately underlying understand unified unique unlike
use used useful uses using usually utilize utilized utilizes utilizing validate valuable value
variation variety various vary varying version via way wide widely work works www year years yet
yield yields
"""

BOILERPLATE = frozenset(_WORDS.split())
"""Never top words of topics or words of terms. Clustering uses them."""
