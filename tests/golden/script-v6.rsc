# Setup for ProxPanel. It can be run again: what is there is not made twice.

# 1. Name
# Routers say their name with every request.
:do {
  /system identity set name="bras-01"
} on-error={ :put "proxpanel: refused: the name" }

# 2. RADIUS
# Points the router here. The usual time-out is too short for any distance, so it is three seconds.
:do {
  :if ([:len [/radius find where comment="proxpanel"]] = 0) do={
    /radius add service=ppp address=192.0.2.10 src-address=10.20.0.1 authentication-port=1812 accounting-port=1813 timeout=3s secret="shared-secret" comment="proxpanel"
  } else={
    /radius set [/radius find where comment="proxpanel"] address=192.0.2.10 src-address=10.20.0.1 authentication-port=1812 accounting-port=1813 timeout=3s secret="shared-secret"
  }
} on-error={ :put "proxpanel: refused: the RADIUS entry" }

# 3. Changes and disconnects
# Without this the router takes neither new speeds nor disconnects.
:do {
  /radius incoming set accept=yes port=3799
} on-error={ :put "proxpanel: refused: accepting CoA" }

# 4. Ask RADIUS for every subscriber
# A name that is among the router's own PPP secrets is never asked for.
:do {
  /ppp aaa set use-radius=yes accounting=yes interim-update=300s
} on-error={ :put "proxpanel: refused: PPP AAA" }

# 5. Address pools
# The names are those of the plans. The ranges are examples: change them before you go on. A pool that is there stays as it is.
:do {
  :if ([:len [/ip pool find where name="homes"]] = 0) do={
    /ip pool add name="homes" ranges=100.64.0.10-100.64.31.254
  }
} on-error={ :put "proxpanel: refused: a pool" }
:do {
  :if ([:len [/ip pool find where name="offices"]] = 0) do={
    /ip pool add name="offices" ranges=100.64.32.10-100.64.63.254
  }
} on-error={ :put "proxpanel: refused: a pool" }
:do {
  :if ([:len [/ip pool find where name="expired"]] = 0) do={
    /ip pool add name="expired" ranges=100.64.64.10-100.64.95.254
  }
} on-error={ :put "proxpanel: refused: a pool" }

# 6. Profiles
# The profile of the expired puts their addresses into the address list that the firewall looks at.
:do {
  :if ([:len [/ppp profile find where name="gold"]] = 0) do={
    /ppp profile add name="gold" local-address=100.64.0.1 dns-server=100.64.0.1 change-tcp-mss=yes use-encryption=no use-compression=no only-one=no
  }
} on-error={ :put "proxpanel: refused: a profile" }
:do {
  :if ([:len [/ppp profile find where name="proxpanel"]] = 0) do={
    /ppp profile add name="proxpanel" local-address=100.64.0.1 dns-server=100.64.0.1 change-tcp-mss=yes use-encryption=no use-compression=no only-one=no
  }
} on-error={ :put "proxpanel: refused: a profile" }
:do {
  :if ([:len [/ppp profile find where name="expired"]] = 0) do={
    /ppp profile add name="expired" local-address=100.64.0.1 dns-server=100.64.0.1 change-tcp-mss=yes use-encryption=no use-compression=no only-one=no remote-address="expired" address-list="expired" rate-limit=1M/1M
  } else={
    /ppp profile set [/ppp profile find where name="expired"] remote-address="expired" address-list="expired"
  }
} on-error={ :put "proxpanel: refused: the profile of the expired" }

# 7. PPPoE server
# Subscribers dial in on this interface.
:do {
  :if ([:len [/interface pppoe-server server find where interface="ether2"]] = 0) do={
    /interface pppoe-server server add service-name="internet" interface="ether2" default-profile="proxpanel" authentication=pap,chap,mschap2 keepalive-timeout=30 one-session-per-host=yes max-mtu=1492 max-mru=1492 disabled=no
  }
} on-error={ :put "proxpanel: refused: the PPPoE server" }

# 8. Firewall: let us in
# Only the panel's address may send changes and use the API.
:do {
  :if ([:len [/ip firewall filter find where comment="proxpanel coa"]] = 0) do={
    :local others [/ip firewall filter find where chain=input dynamic=no]
    :if ([:len $others] = 0) do={
      /ip firewall filter add chain=input action=accept protocol=udp dst-port=3799 src-address=192.0.2.10 comment="proxpanel coa"
    } else={
      /ip firewall filter add chain=input action=accept protocol=udp dst-port=3799 src-address=192.0.2.10 comment="proxpanel coa" place-before=[:pick $others 0]
    }
  } else={
    /ip firewall filter set [/ip firewall filter find where comment="proxpanel coa"] chain=input action=accept protocol=udp dst-port=3799 src-address=192.0.2.10 disabled=no
  }
} on-error={ :put "proxpanel: refused: a rule that lets the panel in" }
:do {
  :if ([:len [/ip firewall filter find where comment="proxpanel api"]] = 0) do={
    :local others [/ip firewall filter find where chain=input dynamic=no]
    :if ([:len $others] = 0) do={
      /ip firewall filter add chain=input action=accept protocol=tcp dst-port=8729 src-address=192.0.2.10 comment="proxpanel api"
    } else={
      /ip firewall filter add chain=input action=accept protocol=tcp dst-port=8729 src-address=192.0.2.10 comment="proxpanel api" place-before=[:pick $others 0]
    }
  } else={
    /ip firewall filter set [/ip firewall filter find where comment="proxpanel api"] chain=input action=accept protocol=tcp dst-port=8729 src-address=192.0.2.10 disabled=no
  }
} on-error={ :put "proxpanel: refused: a rule that lets the panel in" }

# 9. FastTrack
# It lets packets pass by the queues that hold the speeds, and by the rules for the expired.
:do {
  /ip firewall filter disable [/ip firewall filter find where action=fasttrack-connection]
} on-error={ :put "proxpanel: refused: switching FastTrack off" }

# 10. Names for subscribers
# They ask this router. It is opened for them only; a resolver that is open already stays as it is.
:do {
  :if ([/ip dns get allow-remote-requests] = false) do={
    :if ([:len [/ip firewall filter find where comment="proxpanel names shut udp"]] = 0) do={
      :local others [/ip firewall filter find where chain=input dynamic=no]
      :if ([:len $others] = 0) do={
        /ip firewall filter add chain=input action=drop in-interface=!all-ppp protocol=udp dst-port=53 comment="proxpanel names shut udp"
      } else={
        /ip firewall filter add chain=input action=drop in-interface=!all-ppp protocol=udp dst-port=53 comment="proxpanel names shut udp" place-before=[:pick $others 0]
      }
    } else={
      /ip firewall filter set [/ip firewall filter find where comment="proxpanel names shut udp"] chain=input action=drop in-interface=!all-ppp protocol=udp dst-port=53 disabled=no
    }
    :if ([:len [/ip firewall filter find where comment="proxpanel names shut tcp"]] = 0) do={
      :local others [/ip firewall filter find where chain=input dynamic=no]
      :if ([:len $others] = 0) do={
        /ip firewall filter add chain=input action=drop in-interface=!all-ppp protocol=tcp dst-port=53 comment="proxpanel names shut tcp"
      } else={
        /ip firewall filter add chain=input action=drop in-interface=!all-ppp protocol=tcp dst-port=53 comment="proxpanel names shut tcp" place-before=[:pick $others 0]
      }
    } else={
      /ip firewall filter set [/ip firewall filter find where comment="proxpanel names shut tcp"] chain=input action=drop in-interface=!all-ppp protocol=tcp dst-port=53 disabled=no
    }
    /ip dns set allow-remote-requests=yes
  }
} on-error={ :put "proxpanel: refused: opening the resolver" }
:do {
  :if ([:len [/ip dns get servers]] = 0 && [:len [/ip dns get dynamic-servers]] = 0) do={
    /ip dns set servers=9.9.9.9,1.1.1.1
  }
} on-error={ :put "proxpanel: refused: the servers of the resolver" }
:do {
  :if ([:len [/ip firewall filter find where comment="proxpanel names open udp"]] = 0) do={
    :local others [/ip firewall filter find where chain=input dynamic=no]
    :if ([:len $others] = 0) do={
      /ip firewall filter add chain=input action=accept in-interface=all-ppp protocol=udp dst-port=53 comment="proxpanel names open udp"
    } else={
      /ip firewall filter add chain=input action=accept in-interface=all-ppp protocol=udp dst-port=53 comment="proxpanel names open udp" place-before=[:pick $others 0]
    }
  } else={
    /ip firewall filter set [/ip firewall filter find where comment="proxpanel names open udp"] chain=input action=accept in-interface=all-ppp protocol=udp dst-port=53 disabled=no
  }
} on-error={ :put "proxpanel: refused: a rule for the resolver" }
:do {
  :if ([:len [/ip firewall filter find where comment="proxpanel names open tcp"]] = 0) do={
    :local others [/ip firewall filter find where chain=input dynamic=no]
    :if ([:len $others] = 0) do={
      /ip firewall filter add chain=input action=accept in-interface=all-ppp protocol=tcp dst-port=53 comment="proxpanel names open tcp"
    } else={
      /ip firewall filter add chain=input action=accept in-interface=all-ppp protocol=tcp dst-port=53 comment="proxpanel names open tcp" place-before=[:pick $others 0]
    }
  } else={
    /ip firewall filter set [/ip firewall filter find where comment="proxpanel names open tcp"] chain=input action=accept in-interface=all-ppp protocol=tcp dst-port=53 disabled=no
  }
} on-error={ :put "proxpanel: refused: a rule for the resolver" }

# 11. Expired subscribers
# They reach the portal and nothing else; what they open without encryption leads there.
:do {
  :if ([:len [/ip firewall address-list find where comment="proxpanel portal"]] = 0) do={
    /ip firewall address-list add list="proxpanel-walled" address=192.0.2.80 comment="proxpanel portal"
  } else={
    /ip firewall address-list set [/ip firewall address-list find where comment="proxpanel portal"] list="proxpanel-walled" address=192.0.2.80
  }
} on-error={ :put "proxpanel: refused: the portal's address" }
:do {
  :if ([:len [/ip firewall filter find where comment="proxpanel walled to"]] = 0) do={
    /ip firewall filter add chain="proxpanel-expired" action=accept dst-address-list="proxpanel-walled" comment="proxpanel walled to"
  }
} on-error={ :put "proxpanel: refused: a rule for the expired" }
:do {
  :if ([:len [/ip firewall filter find where comment="proxpanel walled from"]] = 0) do={
    /ip firewall filter add chain="proxpanel-expired" action=accept src-address-list="proxpanel-walled" comment="proxpanel walled from"
  }
} on-error={ :put "proxpanel: refused: a rule for the expired" }
:do {
  :if ([:len [/ip firewall filter find where comment="proxpanel expired tcp"]] = 0) do={
    /ip firewall filter add chain="proxpanel-expired" action=reject protocol=tcp reject-with=tcp-reset comment="proxpanel expired tcp"
  }
} on-error={ :put "proxpanel: refused: a rule for the expired" }
:do {
  :if ([:len [/ip firewall filter find where comment="proxpanel expired rest"]] = 0) do={
    /ip firewall filter add chain="proxpanel-expired" action=reject reject-with=icmp-admin-prohibited comment="proxpanel expired rest"
  }
} on-error={ :put "proxpanel: refused: a rule for the expired" }
:do {
  :if ([:len [/ip firewall filter find where comment="proxpanel expired from expired"]] = 0) do={
    :local others [/ip firewall filter find where chain=forward dynamic=no]
    :if ([:len $others] = 0) do={
      /ip firewall filter add chain=forward action=jump jump-target="proxpanel-expired" src-address-list="expired" comment="proxpanel expired from expired"
    } else={
      /ip firewall filter add chain=forward action=jump jump-target="proxpanel-expired" src-address-list="expired" comment="proxpanel expired from expired" place-before=[:pick $others 0]
    }
  } else={
    /ip firewall filter set [/ip firewall filter find where comment="proxpanel expired from expired"] chain=forward action=jump jump-target="proxpanel-expired" src-address-list="expired" disabled=no
  }
} on-error={ :put "proxpanel: refused: a jump of the expired" }
:do {
  :if ([:len [/ip firewall filter find where comment="proxpanel expired to expired"]] = 0) do={
    :local others [/ip firewall filter find where chain=forward dynamic=no]
    :if ([:len $others] = 0) do={
      /ip firewall filter add chain=forward action=jump jump-target="proxpanel-expired" dst-address-list="expired" comment="proxpanel expired to expired"
    } else={
      /ip firewall filter add chain=forward action=jump jump-target="proxpanel-expired" dst-address-list="expired" comment="proxpanel expired to expired" place-before=[:pick $others 0]
    }
  } else={
    /ip firewall filter set [/ip firewall filter find where comment="proxpanel expired to expired"] chain=forward action=jump jump-target="proxpanel-expired" dst-address-list="expired" disabled=no
  }
} on-error={ :put "proxpanel: refused: a jump of the expired" }
:do {
  :if ([:len [/ip firewall nat find where comment="proxpanel walled expired"]] = 0) do={
    /ip firewall nat add chain=dstnat action=accept src-address-list="expired" dst-address-list="proxpanel-walled" comment="proxpanel walled expired"
  } else={
    /ip firewall nat set [/ip firewall nat find where comment="proxpanel walled expired"] chain=dstnat action=accept src-address-list="expired" dst-address-list="proxpanel-walled"
  }
} on-error={ :put "proxpanel: refused: a redirection of the expired" }
:do {
  :if ([:len [/ip firewall nat find where comment="proxpanel portal expired"]] = 0) do={
    /ip firewall nat add chain=dstnat action=dst-nat to-addresses=192.0.2.80 to-ports=80 protocol=tcp dst-port=80 src-address-list="expired" comment="proxpanel portal expired"
  } else={
    /ip firewall nat set [/ip firewall nat find where comment="proxpanel portal expired"] chain=dstnat action=dst-nat to-addresses=192.0.2.80 to-ports=80 protocol=tcp dst-port=80 src-address-list="expired"
  }
} on-error={ :put "proxpanel: refused: a redirection of the expired" }
:do {
  :if ([:len [/ip firewall nat find where comment="proxpanel names expired"]] = 0) do={
    /ip firewall nat add chain=dstnat action=redirect to-ports=53 protocol=udp dst-port=53 src-address-list="expired" comment="proxpanel names expired"
  } else={
    /ip firewall nat set [/ip firewall nat find where comment="proxpanel names expired"] chain=dstnat action=redirect to-ports=53 protocol=udp dst-port=53 src-address-list="expired"
  }
} on-error={ :put "proxpanel: refused: a redirection of the expired" }

# 12. Clock
# Times of sessions are right only with a right clock. Time servers that are set stay as they are.
:do {
  :if ([/system ntp client get enabled] = false) do={
    /system ntp client set enabled=yes primary-ntp=162.159.200.1 secondary-ntp=162.159.200.123
  }
} on-error={ :put "proxpanel: refused: the clock" }

# 13. API user
# A user of its own with few rights, from the panel's address only.
:do {
  :if ([:len [/user group find where name="proxpanel"]] = 0) do={
    /user group add name="proxpanel" policy=api,read,write,test
  } else={
    /user group set [/user group find where name="proxpanel"] policy=api,read,write,test
  }
} on-error={ :put "proxpanel: refused: the group of the API user" }
:do {
  :if ([:len [/user find where name="proxpanel"]] = 0) do={
    /user add name="proxpanel" group="proxpanel" password="api-password" address=192.0.2.10/32 comment="proxpanel"
  } else={
    :if ([/user get [/user find where name="proxpanel"] group] = "proxpanel") do={
      /user set [/user find where name="proxpanel"] password="api-password" address=192.0.2.10/32
    } else={
      :put "proxpanel: the API user is in another group and stays as it is"
    }
  }
} on-error={ :put "proxpanel: refused: the API user" }

# 14. API service
# The panel reads counters and repairs what CoA cannot.
:do {
  :if ([:len [/certificate find where name="proxpanel-api"]] = 0) do={
    /certificate add name="proxpanel-api" common-name="proxpanel-api" key-size=2048 days-valid=3650
    /certificate sign [/certificate find where name="proxpanel-api"]
    :delay 30s
  }
} on-error={ :put "proxpanel: refused: the certificate" }
:do {
  /ip service set api-ssl certificate="proxpanel-api" address=192.0.2.10/32 port=8729 disabled=no
} on-error={ :put "proxpanel: refused: the API service" }
