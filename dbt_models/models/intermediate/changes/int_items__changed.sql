{%- set columns = {
    'capture_id': dbt.type_string(), 'arxiv_id': dbt.type_string(), 'title_key': dbt.type_string(), 'announced_on': 'date'
} -%}
with captures as (

    select * from {{ ref('int_captures__compared') }}

),

items as (

    select * from {{ ref('stg_raw__items') }}

),

previous_items as (

    {{ last_build('items', columns) }}

),

changed_captures as (

    select capture_id from captures
    where is_changed

)

select
    arxiv_id,
    title_key,
    announced_on
from items
where items.capture_id in (select changed_captures.capture_id from changed_captures)
union
select
    arxiv_id,
    title_key,
    announced_on
from previous_items
where previous_items.capture_id in (select changed_captures.capture_id from changed_captures)
