"""A Time Tagger API module, served to other computers and used from there.

The server side (`Server`) gets the API module as an argument and knows it only through its catalog; the client side
(`connect`) builds a stand-in of the same module from the catalog that the server sends. Who calls whom::

    client/                                         server, host/
    module, remote          what the user touches   doors      one entry object per kind of client
    session_view            who is there            service    one core that does every call
    subscription            what is new             session    what stays when a client goes
    link                    requests, releases      publisher  tells what is new
    connection              one socket              objects    who holds which live object
                                                    daemon, pyro, listener: Pyro5's protocol on sockets

The two sides know nothing of each other. What both need lies beside them here: values and messages on the way (`wire`,
`message`, `narrow`, `loans`, `segments`), sockets (`sending`, `readiness`, `keepalive`), and what this system can do
(`capabilities`).
"""
