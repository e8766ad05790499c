// Package arc validates Authenticated Received Chains and seals messages: RFC
// 8617 with the algorithms and limits of RFC 8301 and RFC 8463.
//
// A forwarder or a mailing list breaks SPF and DKIM. With ARC it writes down what
// it saw before (ARC-Authentication-Results), signs the message as it sends it
// on (ARC-Message-Signature) and seals both (ARC-Seal). A [Verifier] says whether
// a chain of such sets is intact, a [Sealer] adds one:
//
//	v := arc.Verifier{Resolver: resolver}
//	chain := v.Verify(ctx, msg)
//	fmt.Println(chain.Status, chain.Err)
//
// # What a pass means, and what it does not
//
// A passing chain says that the domains in [Result.Sets] sealed it in that order
// and that the message is as the newest of them sent it. It does not say that
// any of them tells the truth: everybody can seal, and write what he likes into
// his set (RFC 8617, section 9.4). A chain alone never authenticates anything.
// Only a receiver who lists the sealers that he trusts can let their testimony
// count, see [Result.Vouch]; and what a chain that did not pass asserts cannot be
// reached through this package at all.
//
// # On its way to Historic
//
// RFC 8617 is Experimental. The working group that looks after it is moving it
// to Historic and advises against relying on it between parties who do not
// know each other. This package is therefore separable: nothing but the root
// package imports it, and a message without the three fields costs nothing. It
// is useful where sealer and receiver know each other: a gateway before one's own
// servers, a forwarder one has chosen, the lists one is subscribed to.
//
// # Limits
//
//   - A chain has at most 20 sets ([Verifier.MaxSets], at most 50, which is the
//     limit of RFC 8617, section 4.2.1): each costs two fields to hash, a key and a
//     public-key operation. A longer one is a fail with [ErrSetLimit].
//   - The seals of a chain are hashed in linear time.
//   - Each key is asked for once; [MaxQueries] bounds the questions of a chain of
//     the default length.
//   - A signature field has at most 16 KiB and 64 tags, h= at most 256 names; an
//     ARC-Authentication-Results field is read within the limits of package authres.
//   - Keys are bounded as in package dkim: RSA moduli of 1024 to 4096 bits.
//   - t= lies at most one hour ahead; x= has no grace.
package arc
