{# Formulas that more than one mart shows; docs/methodology.md gives sources and limits. #}

{# Bounds of the Wilson score interval for k of n, at 95 %. Null when n is 0. #}
{% macro wilson(k, n, side) -%}
    {%- set z = var('z95') -%}
    case
        when {{ n }} = 0 then null
        {%- if side == 'low' %}
        when {{ k }} = 0 then 0.0
        {%- else %}
        when {{ k }} = {{ n }} then 1.0
        {%- endif %}
        else (
            {{ k }} + {{ z * z / 2 }}
            {{ '-' if side == 'low' else '+' }} {{ z }} * sqrt(
                cast({{ k }} as double) * ({{ n }} - {{ k }}) / {{ n }} + {{ z * z / 4 }}
            )
        ) / ({{ n }} + {{ z * z }})
    end
{%- endmacro %}

{# Rank of the order statistic that bounds quantile q of n values at 95 %; may fall outside 1 … n. #}
{% macro quantile_rank(q, n, side) -%}
    {%- set z = var('z95') -%}
    {%- if side == 'low' -%}
    cast(floor({{ n }} * {{ q }} - {{ z }} * sqrt({{ n }} * {{ q * (1 - q) }})) as bigint)
    {%- else -%}
    cast(ceil({{ n }} * {{ q }} + {{ z }} * sqrt({{ n }} * {{ q * (1 - q) }})) as bigint) + 1
    {%- endif -%}
{%- endmacro %}

{# The buckets of author counts: 1 … 9 alone, then 10–19, 20–49, 50+. #}
{% macro author_bucket(column) -%}
    case
        when {{ column }} < 10 then cast({{ column }} as {{ dbt.type_string() }})
        when {{ column }} < 20 then '10–19'
        when {{ column }} < 50 then '20–49'
        else '50+'
    end
{%- endmacro %}
{% macro author_bucket_order(column) -%}
    case
        when {{ column }} < 10 then {{ column }}
        when {{ column }} < 20 then 10
        when {{ column }} < 50 then 20
        else 50
    end
{%- endmacro %}
