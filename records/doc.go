// Package records is for the owner of a domain: it looks up what the domain
// publishes about its mail and says what is wrong with it ([Lookup]), and writes
// what it should publish ([NoMail], [SPFPolicy], [DMARCPolicy], [Rollout]).
//
// It is a package of its own because it is above the protocols: each of them
// judges one message, and none of them knows the others' records. No verdict on a
// message depends on anything here.
//
// # Limits
//
// A [Lookup] asks at most 200 DNS questions, follows the includes of an SPF record
// 10 deep and [MaxSPFRecords] in all, and takes 30 seconds at most. What lies
// beyond is reported as not looked at.
package records
