-- Asks Stead, for haproxy.cfg.

-- How many milliseconds an answer may take. HAProxy tries four times before it gives up.
local PATIENCE = 2500

-- The cookie that the gate knows a browser by at the application's address.
local PASS = "__Host-stead-pass="

-- A header that was sent several times, as one. HAProxy counts from 0.
local function line(headers, name, between)
    local values = headers[name]
    return values and table.concat(values, between, 0)
end

-- Asks with GET, without a body, and tells the application's host, the browser's cookies, the connection's
-- certificate, and what is told besides.
-- Whatever goes wrong, there is an answer, and it lets nobody in.
local function ask(txn, stead, path, told)
    local sent = txn.http:req_get_headers()
    told["Host"] = { line(sent, "host", ",") }
    told["Cookie"] = { line(sent, "cookie", "; ") }
    local certificate = txn:get_var("txn.stead_certificate")
    told["Client-Cert"] = certificate and { ":" .. certificate .. ":" }
    local question = { url = "http://" .. stead .. path, headers = told, timeout = PATIENCE }
    local went, answer = pcall(function() return core.httpclient():get(question) end)
    return went and answer or { status = 503, headers = {} }
end

-- Asks whether to let in. HAProxy lets in where the status is 204, and only there.
core.register_action("stead-auth", { "http-req" }, function(txn, stead, application)
    local answer = ask(txn, stead, "/gate/auth/" .. application, {})
    for _, name in ipairs({ "person", "name", "email", "device" }) do
        local value = line(answer.headers, "stead-" .. name, ",")
        if value and value ~= "" then
            txn:set_var("txn.stead_" .. name, value)
        end
    end
    txn:set_var("txn.stead_status", answer.status)
end, 2)

-- Takes the pass from the cookies that the application gets: what it logs or leaks opens nothing.
core.register_action("stead-keep-pass", { "http-req" }, function(txn)
    local cookies, others = line(txn.http:req_get_headers(), "cookie", "; ") or "", {}
    for cookie in cookies:gmatch("[^;]+") do
        cookie = cookie:match("^%s*(.-)%s*$")
        if cookie ~= "" and cookie:sub(1, #PASS) ~= PASS then
            table.insert(others, cookie)
        end
    end
    txn.http:req_del_header("cookie")
    if #others > 0 then
        txn.http:req_add_header("cookie", table.concat(others, "; "))
    end
end)

-- Hands on what Stead says at the path of the request.
core.register_action("stead-step", { "http-req" }, function(txn, stead)
    local sent = txn.http:req_get_headers()
    local answer = ask(txn, stead, txn.f:pathq(), {
        ["Accept"] = { line(sent, "accept", ",") },
        ["Accept-Language"] = { line(sent, "accept-language", ",") },
        ["X-Original-URI"] = { txn:get_var("txn.stead_asked") },
    })
    local reply = txn:reply({ status = answer.status, body = answer.body })
    for name, values in pairs(answer.headers) do
        -- How long it is and how it was sent is for HAProxy to say.
        if name ~= "content-length" and name ~= "transfer-encoding" and name ~= "connection" then
            for place = 0, #values do
                reply:add_header(name, values[place])
            end
        end
    end
    -- This ends the request.
    txn:done(reply)
end, 1)
