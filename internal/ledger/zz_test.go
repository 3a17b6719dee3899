package ledger
import ("testing";"github.com/klauspost/compress/zstd")
func TestZZ(t *testing.T){
	w:=newWorld(t)
	lot:=w.batch()
	w.ok(w.l.Begin(bg,lot)); v,err:=w.l.Admit(bg,lot.ID,prepared(40)); w.ok(err)
	_,err=w.l.Seal(bg,lot.ID,Sealing{MaxNotifications:-1}); w.ok(err)
	for _,x:=range v {wholeLife(w,x.ID)}
	for _,lv:=range []zstd.EncoderLevel{zstd.SpeedFastest,zstd.SpeedDefault,zstd.SpeedBetterCompression,zstd.SpeedBestCompression}{
	e,_:=zstd.NewWriter(nil,zstd.WithEncoderDictRaw(1,[]byte(dictionary1)),zstd.WithEncoderLevel(lv),zstd.WithEncoderCRC(false),zstd.WithEncoderConcurrency(1))
	w.ok(w.l.View(bg,func(tx *Tx)error{
		for _,b:=range []bucket{bRow,bNote,bCold,bEvent,bArtifact,bChange}{
			n,raw,s,z:=0,0,0,0
			tx.each(b,nil,nil,func(k,v []byte)(bool,error){
				r,_,_:=w.l.codec.open(v); n++; raw+=len(r); s+=len(v); z+=len(e.EncodeAll(r,nil)); if n==30{t.Logf("%s",r)}; return true,nil})
			t.Logf("%v %-9s raw %d s2 %d zstd %d",lv,bucketNames[b],raw/n,s/n,z/n)
		}
		// whole events of one notification
		var all []byte
		tx.each(bEvent,v[0].ID.key(),nil,func(k,v []byte)(bool,error){r,_,_:=w.l.codec.open(v);all=append(all,r...);return true,nil})
		t.Logf("joint events raw %d s2 %d zstd %d",len(all),len(w.l.codec.seal(all,0)),len(e.EncodeAll(all,nil)))
		return nil}))
	}
}
