# The options of a `ready` check: their types, and the services that accept them.

locals {
  known_options = {
    http = ["follow", "method", "path", "status", "text"]
    dns  = ["must", "must_not", "name", "transport", "type"]
  }
  methods      = ["HEAD", "GET", "OPTIONS"]
  record_types = ["A", "AAAA", "CNAME", "MX", "NS", "PTR", "TXT"]
  status       = "^([1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$"
  # A name in a DNS question: labels of printable ASCII, separated by dots; the root is empty.
  dns_label = "[!-\\-/-~]{1,63}"
  dns_name  = "^((${local.dns_label}\\.)*${local.dns_label})?\\.?$"

  # The options that the monitor itself sets. An option in `defaults` applies only to the monitors that accept it.
  here = {
    for id, own in local.own : id => {
      for field in ["tls", "warn_days", "http", "dns"] : field => try(own[field] != null, false)
    }
  }
  wrote_check   = { for id, own in local.own : id => can(merge(local.defaults, own)["check"]) }
  wrote_service = { for id, own in local.own : id => can(merge(local.defaults, own).service) }
  scripted      = { for id, merged in local.merged : id => can(merged.script) }

  # Whether the fields that decide about the exchange are valid, and whether the check has an exchange.
  exchange_known = {
    for id, good in local.good : id => can(good.check) && can(good.expect) && can(good.close) && (can(good.service) || !local.wrote_service[id])
  }
  has_exchange = {
    for id, good in local.good : id => try(
      can(good.close) && good.expect == "open"
      && (local.scripted[id] ? good.check == "ready" || !local.wrote_check[id] : good.check == "ready" && can(good.service)),
      false
    )
  }

  # TLS: the value of `tls` if the service accepts it, otherwise the default of service and port.
  over_udp = { for id, good in local.good : id => try(good.service == "dns" && local.merged[id].dns.transport == "udp", false) }
  wrapped  = { for id, good in local.good : id => try(var.presets.services[good.service].tls, false) }
  upgrades = {
    for id, good in local.good : id => !local.scripted[id] && contains(["postgres", "mysql", "mariadb", "smtp", "submission", "imap", "pop3"], try(good.service, ""))
  }
  # The value of `tls`, as JSON.
  tls = { for id, good in local.good : id => can(merge(local.defaults, local.own[id]).tls) && can(good.tls) ? jsonencode(good.tls) : "null" }
  tls_refused = {
    for id, tls in local.tls : id => (
      local.over_udp[id] && contains(["true", "\"starttls\""], tls)
      || local.wrapped[id] && contains(["false", "\"starttls\""], tls)
      || !local.upgrades[id] && tls == "\"starttls\""
    )
  }
  tls_off = {
    for id, tls in local.tls : id => (
      tls == "null" || local.tls_refused[id]
      ? local.over_udp[id] || !(local.wrapped[id] || contains([443, 465, 993, 995, 8443], try(local.good[id].port, 0)))
      : tls == "false"
    )
  }

  # Rules that concern one option.
  option_diagnostics = flatten([
    for id, good in local.good : concat(
      [
        for finding in flatten([
          for option, known in local.known_options : [
            for name in try(keys(good[option]), []) : { at = "${option}.${name}", what = "unknown field", help = "known fields: ${join(", ", known)}" }
            if !contains(known, name)
          ]
        ]) : "${local.option_place[id][split(".", finding.at)[0]]}.${split(".", finding.at)[1]}: ${finding.what} (${finding.help})"
      ],
      [
        for rule in [
          {
            at    = "method"
            wrong = can(good.http.method) && !try(contains(local.methods, good.http.method) && !(good.http.method == "HEAD" && try(substr(jsonencode(good.http.text), 0, 1) == "\"", false)), false)
            help  = "write one of ${join(", ", local.methods)}; `HEAD` returns no body to search for `text`"
          },
          {
            at    = "path"
            wrong = can(good.http.path) && !try(can(regex("^/[!-~]*$", good.http.path)) && length(good.http.path) <= 1024, false)
            help  = "start with `/`, and use printable ASCII without spaces, at most 1024 bytes"
          },
          {
            at    = "text"
            wrong = can(good.http.text) && !try(substr(jsonencode(good.http.text), 0, 1) == "\"" && good.http.text != "" && local.bytes[id].text <= 1024, false)
            help  = "write 1 to 1024 bytes of text"
          },
          {
            at    = "follow"
            wrong = can(good.http.follow) && !contains(["true", "false"], try(jsonencode(good.http.follow), ""))
            help  = "write true or false"
          },
          {
            at    = "status"
            wrong = can(good.http.status) && (local.lists_statuses[id] ? length(local.statuses[id]) == 0 || length(local.statuses[id]) > 16 : length(local.bad_statuses[id]) > 0)
            help  = "write a status such as 200, a class such as 2xx, a range such as 200-299, or a list of 1 to 16 of these"
          },
        ] : "${local.option_place[id].http}.${rule.at}: is invalid (${rule.help})" if rule.wrong
      ],
      [
        for index in local.bad_statuses[id] : "${local.option_place[id].http}.status.${index}: is not a status from 100 to 599 (write a status such as 200, a class such as 2xx, or a range such as 200-299)"
        if local.lists_statuses[id]
      ],
      [
        for rule in [
          {
            at    = "name"
            wrong = can(good.dns.name) ? !try(substr(jsonencode(good.dns.name), 0, 1) == "\"" && can(regex(local.dns_name, good.dns.name)) && length(trimsuffix(good.dns.name, ".")) <= 253, false) : can(good.dns.must) || can(good.dns.must_not)
            help  = "write labels of 1 to 63 characters, separated by dots, at most 253 in total"
          },
          {
            at    = "type"
            wrong = can(good.dns.type) && !try(contains(local.record_types, good.dns.type), false)
            help  = "write one of ${join(", ", local.record_types)}"
          },
          {
            at    = "transport"
            wrong = can(good.dns.transport) && !try(contains(["tcp", "udp"], good.dns.transport), false)
            help  = "write tcp or udp"
          },
          {
            at    = "must"
            wrong = can(good.dns.must) && !can(concat(good.dns.must, [])) || length(local.records[id].must) > 0 && length(concat(local.records[id].must, local.records[id].must_not)) > 32
            help  = "write a list of records such as [192.0.2.1], at most 32 in total with `must_not`"
          },
          {
            at    = "must_not"
            wrong = can(good.dns.must_not) && !can(concat(good.dns.must_not, [])) || length(local.records[id].must) == 0 && length(local.records[id].must_not) > 32
            help  = "write a list of records such as [192.0.2.1], at most 32 in total with `must`"
          },
        ] : "${local.option_place[id].dns}.${rule.at}: is invalid (${rule.help})" if rule.wrong
      ],
      flatten([
        for list, records in local.records[id] : [
          for index, record in records : "${local.option_place[id].dns}.${list}.${index}: is not a valid ${local.record_type[id]} record (write the record as in a zone file, at most 255 bytes, in quotes if necessary)"
          if length(local.not_texts[id][list]) > 0 ? contains(local.not_texts[id][list], index) : !local.can_be[id][list][index]
        ]
      ]),
      [
        for index, step in local.steps[id] : "${local.option_place[id].script}.${index}: is not a step (write `{ send: … }` or `{ expect: … }`)"
        if step.name == ""
      ],
      [
        for index, step in local.steps[id] : "${local.option_place[id].script}.${index}.${step.name}: is not a string (write a string, in quotes if necessary)"
        if step.name != "" && !step.is_text
      ],
      [
        for index, step in local.steps[id] : "${local.option_place[id].script}.${index}: is empty or too long (write 1 to 1024 bytes)"
        if alltrue(local.steps[id][*].is_text) && (step.bytes < 1 || step.bytes > 1024)
      ],
      [
        for wrong in [
          can(good.script) && (length(local.steps[id]) < 1 || length(local.steps[id]) > 16),
          length(local.steps[id]) > 0 && alltrue(local.steps[id][*].is_text) && !contains(local.steps[id][*].name, "expect"),
        ] : "${local.option_place[id].script}: is invalid (write 1 to 16 steps, with at least one `expect`)" if wrong
      ],
    )
  ])
  option_place = { for id in keys(local.own) : id => { for option in ["http", "dns", "script"] : option => local.place[id][option] } }

  # Sizes in bytes, from the Base64 form: HCL has no function for them.
  bytes = {
    for id, good in local.good : id => {
      text = try(length(base64encode(good.http.text)) * 3 / 4 - length(regexall("=", base64encode(good.http.text))), 0)
    }
  }
  lists_statuses = { for id, good in local.good : id => can(concat(good.http.status, [])) }
  statuses       = { for id, good in local.good : id => can(good.http.status) ? try(concat(good.http.status, []), [good.http.status]) : [] }
  bad_statuses = {
    for id, statuses in local.statuses : id => [
      for index, status in statuses : index
      if !can(regex(local.status, tostring(status))) || try(tonumber(split("-", tostring(status))[0]) > tonumber(split("-", tostring(status))[1]), false)
    ]
  }
  records     = { for id, good in local.good : id => { for list in ["must", "must_not"] : list => try(concat(good.dns[list], []), []) } }
  record_type = { for id, good in local.good : id => try(good.dns.type, can(good.dns.name) ? "A" : "NS") }
  not_texts = {
    for id, lists in local.records : id => {
      for list, records in lists : list => [for index, record in records : index if substr(jsonencode(record), 0, 1) != "\""]
    }
  }
  can_be = {
    for id, lists in local.records : id => {
      for list, records in lists : list => [
        for record in records : try(
          length(base64encode(record)) * 3 / 4 - length(regexall("=", base64encode(record))) <= 255 && record != "" && {
            A     = can(regex("^(${local.octet}\\.){3}${local.octet}$", record))
            AAAA  = can(cidrhost("${record}/128", 0)) && can(regex(":", record))
            MX    = can(regex("^[0-9]+ ", record)) && can(regex(local.dns_name, regex("^[0-9]+ (.*)$", record)[0])) && try(tonumber(regex("^[0-9]+", record)) <= 65535, false)
            CNAME = can(regex(local.dns_name, record))
            NS    = can(regex(local.dns_name, record))
            PTR   = can(regex(local.dns_name, record))
            TXT   = true
          }[local.record_type[id]],
          # The type of record is invalid, which is a diagnostic already.
          !contains(local.record_types, local.record_type[id])
        )
      ]
    }
  }
  steps = {
    for id, good in local.good : id => [
      for step in try(concat(good.script, []), []) : {
        name    = try(length(keys(step)) == 1 && contains(["send", "expect"], keys(step)[0]) ? keys(step)[0] : "", "")
        is_text = try(length(keys(step)) == 1 && contains(["send", "expect"], keys(step)[0]) && substr(jsonencode(values(step)[0]), 0, 1) == "\"", false)
        bytes   = try(length(base64encode(values(step)[0])) * 3 / 4 - length(regexall("=", base64encode(values(step)[0]))), 0)
      }
    ]
  }

  # Rules that concern options and the service.
  fitting_rules = {
    for id, good in local.good : id => [
      {
        field = "http"
        wrong = local.exchange_known[id] && local.here[id].http && !(local.has_exchange[id] && contains(["http", "https"], try(good.service, "")))
        what  = "requires `service: http` or `https`, and `check: ready`"
        help  = "write one of these services without `check: connect`, or remove `http`"
      },
      {
        field = "dns"
        wrong = local.exchange_known[id] && local.here[id].dns && !(local.has_exchange[id] && try(good.service, "") == "dns")
        what  = "requires `service: dns`, and `check: ready`"
        help  = "write `service: dns` without `check: connect`, or remove `dns`"
      },
      {
        field = "script"
        wrong = local.scripted[id] && can(good.check) && can(good.expect) && can(good.close) && (local.wrote_service[id] || !local.has_exchange[id])
        what  = "requires `check: ready` and `expect: open`, and cannot be combined with `service`"
        help  = "remove `service`, `check` and `expect`, or remove `script`"
      },
      {
        field = "tls"
        wrong = local.exchange_known[id] && local.here[id].tls && (!local.has_exchange[id] || local.tls_refused[id])
        what  = "is not supported by this check"
        help  = "add `service` (`service: tls` checks only the handshake); remove `tls` if the service begins with TLS, if the check only connects, and for DNS over UDP; STARTTLS is supported only for PostgreSQL, MySQL, MariaDB, SMTP, IMAP and POP3"
      },
      {
        field = "warn_days"
        wrong = local.exchange_known[id] && local.here[id].warn_days && (!local.has_exchange[id] || local.tls_off[id])
        what  = "requires TLS"
        help  = "add `tls: true`, or remove `warn_days`"
      },
    ]
  }
}
