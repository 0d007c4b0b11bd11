{# What pipelines.trends.judge says of a series in a period; topics and terms alike. #}
{% macro judged_columns(relation) -%}
    {{ relation }}.share_shrunk,
    {{ relation }}.shrunk_low,
    {{ relation }}.shrunk_high,
    {{ relation }}.n_papers_current,
    {{ relation }}.n_total_current,
    {{ relation }}.n_papers_before,
    {{ relation }}.n_total_before,
    {{ relation }}.growth,
    {{ relation }}.growth_low,
    {{ relation }}.growth_high,
    {{ relation }}.growth_level,
    {{ relation }}.growth_basis,
    {{ relation }}.p_value,
    {{ relation }}.q_value,
    {{ relation }}.verdict,
    {{ relation }}.verdict_reason,
    {{ relation }}.burst_level,
    {{ relation }}.first_seen_on,
    {{ relation }}.is_emerging
{%- endmacro %}

{# The periods' keys; an outer join, so that a row that was not judged breaks the contract loudly. #}
{% macro join_judged(counted, judged, series) -%}
left join {{ judged }}
    on
        {{ counted }}.population = {{ judged }}.population
        and {{ counted }}.grain = {{ judged }}.grain
        and {{ counted }}.period_start_on = {{ judged }}.period_start_on
        and {{ counted }}.{{ series }} = {{ judged }}.{{ series }}
{%- endmacro %}
