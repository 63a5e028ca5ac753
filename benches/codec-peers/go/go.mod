module codecpeer

go 1.18

require github.com/TarsCloud/TarsGo v1.4.6
