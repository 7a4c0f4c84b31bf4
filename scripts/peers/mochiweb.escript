#!/usr/bin/env escript
%%! +P 100000 +Q 65536 +A 1
%% MochiWeb as a peer of scripts/compare.sh: the chat of 2008 in its three pieces, a room, one who waits and one who
%% posts. It speaks just enough of the wire for `comet-chat bench`.
%%
%%   scripts/peers/mochiweb.escript [PORT]        0, the default, takes a free one. It prints the address
%%
%% The room keeps nothing, as in 2008: what is said between two polls is missed. So every cursor is 0.
-mode(compile).

main(Arguments) ->
    Port = case Arguments of [Text] -> list_to_integer(Text); [] -> 0 end,
    Room = spawn(fun() -> room([]) end),
    register(room, Room),
    {ok, Server} = mochiweb_http:start([
        {name, chat}, {ip, "127.0.0.1"}, {port, Port}, {backlog, 4096}, {max, 50000}, {nodelay, true},
        {loop, fun(Request) -> answer(mochiweb_request:get(method, Request), Request) end}
    ]),
    io:format("mochiweb: open http://127.0.0.1:~B/chat~n", [mochiweb_socket_server:get(Server, port)]),
    receive stop -> ok end.

%% The room: a process with a mailbox of three letters. A message goes to all who wait, and the list is emptied.
room(Waiting) ->
    receive
        {From, subscribe} ->
            From ! subscribed,
            room([From | Waiting]);
        {From, unsubscribe} ->
            From ! unsubscribed,
            room(lists:delete(From, Waiting));
        {From, post, Text} ->
            lists:foreach(fun(One) -> One ! {message, Text} end, Waiting),
            From ! {posted, length(Waiting)},
            room([])
    end.

%% One who waits: for a message, or 10 s, or as long as the request says.
answer('GET', Request) ->
    Query = mochiweb_request:parse_qs(Request),
    case list_to_integer(proplists:get_value("wait", Query, "10")) of
        0 ->
            reply(Request, 204, "");
        Seconds ->
            room ! {self(), subscribe},
            receive subscribed -> ok end,
            receive
                {message, Text} -> reply(Request, 200, Text)
            after Seconds * 1000 ->
                room ! {self(), unsubscribe},
                receive unsubscribed -> ok end,
                % A message may have come just before.
                receive {message, Text} -> reply(Request, 200, Text) after 0 -> reply(Request, 204, "") end
            end
    end;
%% One who posts: the body is the message, or a form with a field of that name.
answer('POST', Request) ->
    Text = case mochiweb_request:get_header_value("content-type", Request) of
        "text/plain" ++ _ -> mochiweb_request:recv_body(Request);
        _ -> proplists:get_value("message", mochiweb_request:parse_post(Request), "")
    end,
    room ! {self(), post, Text},
    receive {posted, Count} -> reply(Request, 200, io_lib:format("{\"delivered\":~B}", [Count])) end.

reply(Request, Status, Body) ->
    mochiweb_request:respond({Status, [{"Content-Type", "text/plain"}, {"Chat-Cursor", "0"}], Body}, Request).
