with changes as (

    select * from {{ ref('int_changes__stated') }}

),

terms as (

    select * from {{ ref('dim_terms') }}

),

term_changes as (

    select * from changes
    where series_kind = 'term'

)

select
    term_changes.population,
    term_changes.grain,
    term_changes.period_start_on,
    term_changes.series_id as term_id,
    terms.term,
    {{ change_columns('term_changes') }}
from term_changes
left join terms on term_changes.series_id = terms.term_id
