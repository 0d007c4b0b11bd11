with series as (

    select * from {{ ref('int_series__judged') }}

),

terms as (

    select * from {{ ref('dim_terms') }}

),

term_series as (

    select * from series
    where series_kind = 'term'

)

select
    term_series.population,
    term_series.grain,
    term_series.period_start_on,
    term_series.period_end_on,
    term_series.series_id as term_id,
    terms.term,
    {{ trend_columns('term_series') }}
from term_series
left join terms on term_series.series_id = terms.term_id
