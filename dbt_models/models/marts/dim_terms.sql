with learned as (

    select * from {{ ref('int_terms__learned') }}

)

select
    term_id,
    term,
    kind,
    long_form,
    n_papers,
    wordings,
    is_provisional,
    vocabulary_version
from learned
