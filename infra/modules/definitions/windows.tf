# Maintenance windows: their rules, and their form in the item of a monitor.

locals {
  written_windows = [for window in try(concat(local.file.maintenance), []) : try(merge(window), {})]

  windows = [
    for window in local.written_windows : {
      monitors = try([for id in window.monitors : tostring(id)], [])
      tags     = try([for tag in window.tags : tostring(tag)], [])
      # The item omits the other monitors that the window covers.
      encoded = { M = { for name, text in window : name => { S = text } if !contains(["monitors", "tags"], name) } }
    }
  ]
  maintenance = {
    for id, good in local.good : id => [
      for window in local.windows : window.encoded
      if length(window.monitors) + length(window.tags) == 0 || contains(window.monitors, id) || anytrue([for tag in try(good.tags, []) : contains(window.tags, tag)])
    ]
  }

  tags_in_use = distinct(flatten([
    for fields in concat([local.defaults], values(local.own)) : [for tag in try(concat(fields.tags, []), []) : try(tostring(tag), "")]
  ]))
  window_texts = ["from", "until", "every", "for", "zone", "why"]
  # Days, a space, a time.
  recurring   = "^(?i: *daily *|( *(mon|tue|wed|thu|fri|sat|sun) *)(,( *(mon|tue|wed|thu|fri|sat|sun) *))*) ([01][0-9]|2[0-3]):[0-5][0-9]$"
  week_ms     = 7 * 86400000
  max_windows = 100

  # The time fields that are present, and the fields that are text.
  window_form = [for window in local.written_windows : join(",", [for name in ["from", "until", "every", "for"] : name if can(window[name])])]
  window_texts_of = [
    for window in local.written_windows : { for name, value in window : name => value if substr(jsonencode(value), 0, 1) == "\"" }
  ]
  window_ms = [for window in local.written_windows : try(regex(local.duration, window.for)[0] * local.unit[regex(local.duration, window.for)[1]], 0)]

  window_diagnostics = concat(
    try(local.file.maintenance, null) == null || can(concat(local.file.maintenance)) ? [] : ["maintenance: is not a list of windows (start each window with `- `)"],
    length(local.written_windows) <= local.max_windows ? [] : ["maintenance: has ${length(local.written_windows)} windows (use at most ${local.max_windows}: remove windows that have ended)"],
    flatten([
      for index, window in local.written_windows : [for finding in local.diagnostics_of_window[index] : "maintenance.${index}${finding}"]
      if length(local.written_windows) <= local.max_windows
    ]),
  )
  diagnostics_of_window = [
    for index, window in local.written_windows : !can(keys(local.file.maintenance[index])) ? [": is not a maintenance window (write `{ from: …, until: … }` or `{ every: sun 02:00, for: 2h }`)"] : concat(
      [
        for name in keys(window) : ".${name}: unknown field (known fields: ${join(", ", concat(["monitors", "tags"], local.window_texts))})"
        if !contains(concat(["monitors", "tags"], local.window_texts), name)
      ],
      [
        for name in local.window_texts : ".${name}: is not a string (write a string)"
        if can(window[name]) && !can(local.window_texts_of[index][name])
      ],
      [
        for name in local.window_texts : ".${name}: is too long (use at most 200 bytes)"
        if try(length(local.window_texts_of[index][name]) > 200, false)
      ],
      [
        for name in ["monitors", "tags"] : ".${name}: is not a list of names (write a list such as [one, two], or remove the field to cover every monitor)"
        if can(window[name]) && !can(regex("^\\[\"([^\"\\\\]|\\\\.)*\"(,\"([^\"\\\\]|\\\\.)*\")*]$", jsonencode(window[name])))
      ],
      [
        for name in ["from", "until"] : ".${name}: is not an RFC 3339 time (write a time such as 2026-11-22T02:00:00Z)"
        if local.window_form[index] == "from,until" && can(local.window_texts_of[index][name]) && !can(timecmp(window[name], window[name]))
      ],
      [
        for rule in [
          {
            at    = ""
            wrong = !contains(["from,until", "every,for"], local.window_form[index])
            what  = "is neither a single nor a recurring window"
            help  = "write `from` and `until`, or `every` (such as `sun 02:00`) and `for` (such as `2h`)"
          },
          {
            at    = ".zone"
            wrong = local.window_form[index] == "from,until" && can(window.zone)
            what  = "is only supported with `every`"
            help  = "remove `zone`: `from` and `until` contain their offset from UTC"
          },
          {
            at    = ".until"
            wrong = try(timecmp(window.from, window.until) >= 0, false)
            what  = "is not after `from`"
            help  = "swap the two, or correct one"
          },
          {
            at    = ".every"
            wrong = local.window_form[index] == "every,for" && can(local.window_texts_of[index].every) && !can(regex(local.recurring, window.every))
            what  = "is not a weekly or daily time"
            help  = "write `daily 02:00`, `sun 02:00` or `mon,wed 22:30`"
          },
          {
            at    = ".for"
            wrong = local.window_form[index] == "every,for" && can(local.window_texts_of[index].for) && (local.window_ms[index] <= 0 || local.window_ms[index] > local.week_ms)
            what  = "is zero or longer than 7 days"
            help  = "write a length such as 2h"
          },
          {
            at    = ".zone"
            wrong = local.window_form[index] == "every,for" && can(local.window_texts_of[index].zone) && !can(regex("^[A-Za-z0-9_+/-]+$", window.zone))
            what  = "is not a time zone"
            help  = "write a name of the IANA time zone database, such as Europe/Berlin"
          },
        ] : "${rule.at}: ${rule.what} (${rule.help})" if rule.wrong
      ],
      [
        for at, id in try(concat(window.monitors), []) : ".monitors.${at}: `${id}` is not a monitor in this file (use the id of a monitor in this file)"
        if substr(jsonencode(id), 0, 1) == "\"" && !can(local.written[id])
      ],
      [
        for at, tag in try(concat(window.tags), []) : ".tags.${at}: no monitor has the tag `${tag}` (use the tag of a monitor)"
        if substr(jsonencode(tag), 0, 1) == "\"" && !contains(local.tags_in_use, tag)
      ],
    )
  ]
}
