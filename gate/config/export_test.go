package config

var Parse = parse // whose errors name no directory
